import type { RequestAcceptor } from '#src/exchange/streams.ts'
import { Roster } from '#src/exchange/roster.ts'
import type { Listed } from '#src/exchange/roster.ts'
import type { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Connection } from '#src/transport/transport.ts'
import { HttpDate } from './http-date.ts'
import type { Http1ServerOptions } from './options.ts'
import { RequestParser } from './request-parser.ts'

/** A session as its context knows it. */
export interface OpenSession extends Listed {
  readonly connection: Connection
  /** Takes no request after the one it has; `gently`: an idle one may still take one. */
  shutdown(gently?: boolean): void
  /** Cuts the connection, whatever it is at. */
  abort(): void
}

/** What all HTTP/1.1 client connections of a thread share. */
export class Http1ServerContext {
  readonly acceptor: RequestAcceptor
  /** Replaced as a whole; read anew for each request. */
  options: Http1ServerOptions
  readonly wheel: TimerWheel
  readonly date: HttpDate
  readonly parser = new RequestParser()
  /** Sessions whose connections are open, for draining and counting. */
  readonly sessions = new Roster<OpenSession>()
  /** Takes a connection over from a session that sniffs: its first bytes are HTTP/2's preface or a part of it. */
  onPreface: (connection: Connection, buffer: Buffer, start: number, end: number) => void = (
    connection,
  ) => {
    connection.destroy()
  }

  /** `clock` tells milliseconds since 1970, for the Date field. */
  constructor(
    acceptor: RequestAcceptor,
    options: Http1ServerOptions,
    wheel: TimerWheel,
    clock: () => number,
  ) {
    this.acceptor = acceptor
    this.options = options
    this.wheel = wheel
    this.date = new HttpDate(clock)
  }

  /** Lets every connection finish what it has and closes the others. */
  shutdown(): void {
    for (const session of this.sessions.all()) session.shutdown()
  }
}

import { randomBytes } from 'node:crypto'
import { Roster } from '#src/exchange/roster.ts'
import type { Peer, RequestAcceptor } from '#src/exchange/streams.ts'
import type { Http2Environment } from '#src/http2/environment.ts'
import { serverLimits } from '#src/http2/limits.ts'
import type { Http2Limits } from '#src/http2/limits.ts'
import { Http2ServerSession } from '#src/http2/server-session.ts'
import type { Http2ServerOwner } from '#src/http2/server-session.ts'
import { TurnQueue } from '#src/http2/turn-queue.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import type { Connection } from '#src/transport/transport.ts'
import type { DataPlaneOptions } from '#src/workers/data-plane-options.ts'
import { http2Cell } from './record.ts'

/** What all HTTP/2 sessions of a worker share, on either side of the proxy. */
export function http2Environment({ wheel, worker, writer }: DataPlaneOptions): Http2Environment {
  const turns: TurnQueue = new TurnQueue(() => {
    setImmediate(runTurn)
  })
  const runTurn = (): void => {
    turns.run()
  }
  return {
    wheel,
    turns,
    counters: {
      increment(name) {
        worker.add(writer, http2Cell(name), 1)
      },
    },
    createWebSocketKey: () => randomBytes(16).toString('base64'),
  }
}

/** The HTTP/2 connections of clients. */
export class Http2Sessions implements Http2ServerOwner {
  readonly #requests: RequestAcceptor
  readonly #environment: Http2Environment
  readonly #plain = new Roster<Http2ServerSession>()
  readonly #secure = new Roster<Http2ServerSession>()
  #limits: Http2Limits = serverLimits
  #draining = false

  constructor(environment: Http2Environment, requests: RequestAcceptor, options: GlobalOptions) {
    this.#requests = requests
    this.#environment = environment
    this.setOptions(options)
  }

  get plainCount(): number {
    return this.#plain.size
  }

  get tlsCount(): number {
    return this.#secure.size
  }

  /** For connections that begin from now on. */
  setOptions(options: GlobalOptions): void {
    this.#limits = {
      ...serverLimits,
      concurrentStreams: options.http2ConcurrentStreams,
      fields: options.requestFieldsMax,
      headerListBytes: options.requestHeadBytesMax * 2,
      idleTimeoutMs: options.keepAliveTimeoutMs,
      headTimeoutMs: options.requestHeadTimeoutMs,
      bodyTimeoutMs: options.requestBodyTimeoutMs,
      requests: options.keepAliveRequests,
      ignoreInvalidHeaders: options.ignoreInvalidHeaders,
      underscoresInHeaders: options.underscoresInHeaders,
    }
  }

  /** Takes a connection over; bytes read from it before go to the session's `onData`. */
  start(connection: Connection): Http2ServerSession {
    const session = new Http2ServerSession(
      connection,
      this.#requests,
      this.#limits,
      this.#environment,
      this,
    )
    this.#rosterOf(session).add(session)
    if (this.#draining) session.drain()
    return session
  }

  onSessionClosed(session: Http2ServerSession): void {
    this.#rosterOf(session).delete(session)
  }

  #rosterOf({ peer }: Http2ServerSession): Roster<Http2ServerSession> {
    return peer.scheme === 'https' ? this.#secure : this.#plain
  }

  shutdown(): void {
    const first = !this.#draining
    this.#draining = true
    if (!first) return
    for (const session of [...this.#plain.all(), ...this.#secure.all()]) session.drain()
  }

  /** Sessions over TLS of these clients end behind the requests that they have. */
  drainStale(isStale: (peer: Peer) => boolean): void {
    for (const session of this.#secure.all()) if (isStale(session.peer)) session.drain()
  }

  destroy(): void {
    for (const session of [...this.#plain.all(), ...this.#secure.all()]) session.close()
  }
}

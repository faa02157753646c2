import { RequestHead } from '#src/exchange/heads.ts'
import type { ClientStream } from '#src/exchange/streams.ts'
import { Http1ClientSession } from '#src/http1/client-session.ts'
import type { Http1ClientOptions } from '#src/http1/options.ts'
import { MemoryNetwork } from '#test/support/memory-connection.ts'
import type { MemoryConnection, MemoryOptions } from '#test/support/memory-connection.ts'
import { Recorder, clientOptions } from './relay.ts'
import { HeardResponse } from './scripted.ts'

/** A client session on a connection in memory; a test plays proxy, pool and upstream. */
export class ClientBench {
  readonly network: MemoryNetwork
  readonly session: Http1ClientSession
  readonly opened: MemoryConnection
  readonly upstream: Recorder
  idle = 0
  gone = 0
  heard = new HeardResponse()
  /** The exchange begun last. */
  stream: ClientStream = undefined as never

  constructor(options: Partial<Http1ClientOptions> = {}, memory: MemoryOptions = {}) {
    this.network = new MemoryNetwork(memory)
    const owner = { onIdle: () => void this.idle++, onGone: () => void this.gone++ }
    this.session = new Http1ClientSession(owner, { ...clientOptions, ...options })
    const [opened, accepted] = this.network.connect(this.session)
    this.session.attach(opened)
    this.opened = opened
    this.upstream = new Recorder(accepted)
  }

  /** Begins an exchange; `ended`: the request has no body. */
  ask(head: Partial<RequestHead> = {}, ended = true): void {
    this.open()
    this.stream.sendHead(requestHead(head), ended)
    this.stream.flush()
    this.network.run()
  }

  /** Begins an exchange without sending anything. */
  open(): ClientStream {
    this.heard = new HeardResponse()
    this.stream = this.session.open(this.heard)
    return this.stream
  }

  answer(text: string): void {
    this.upstream.connection.writeText(text)
    this.network.run()
  }
}

export function requestHead(wanted: Partial<RequestHead>): RequestHead {
  const head = new RequestHead()
  return Object.assign(head, { method: 'GET', target: '/x', authority: 'a.test', ...wanted })
}

import type { ResponseHead } from '#src/exchange/heads.ts'
import type { Peer, ServerStream } from '#src/exchange/streams.ts'
import type { Mirrors, MirrorRequest, UnsentFate } from '#src/policies/mirror-request.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import { Exchange } from './exchange.ts'
import type { Services } from './services.ts'
import { subrequestHead } from './sub-exchange.ts'

/** Copies that a worker may have at once, from the head of the request to the answer's end. */
const copiesMax = 256
/** Bytes of bodies that they may hold together. */
const bytesMax = 16 * 1024 * 1024
/** A longer answer is not read to its end: the connection is closed. */
const answerBytesMax = 1024 * 1024
/** How long a mirror may take to connect, to read, and to answer. */
const patienceMs = 10_000

const cells = {
  answered: workerCell('mirrored_requests_total:answered'),
  failed: workerCell('mirrored_requests_total:failed'),
  'too-large': workerCell('mirrored_requests_total:too-large'),
  'too-many': workerCell('mirrored_requests_total:too-many'),
  cut: workerCell('mirrored_requests_total:cut'),
} as const

/** The copies of one worker: their number and size are bounded, and each is counted by its fate. */
export class WorkerMirrors implements Mirrors {
  readonly #servicesOf: () => Services
  #copies = 0
  #bytes = 0

  /** The services, which refer back, are asked for when they are needed. */
  constructor(services: () => Services) {
    this.#servicesOf = services
  }

  get #services(): Services {
    return this.#servicesOf()
  }

  begin(): boolean {
    if (this.#copies >= copiesMax || this.#services.draining) {
      this.#count('too-many')
      return false
    }
    this.#copies++
    return true
  }

  hold(bytes: number): boolean {
    if (this.#bytes + bytes > bytesMax) return false
    this.#bytes += bytes
    return true
  }

  drop(bytes: number, fate: UnsentFate): void {
    this.#end(bytes, fate)
  }

  send(peer: Peer, request: MirrorRequest): void {
    const services = this.#services
    const bytes = request.body.length
    const live = services.table.subrequestRule(request.backend, patienceMs, request.serverName)
    if (live === undefined) {
      this.#end(bytes, 'failed')
      return
    }
    const drain = new Drain(peer, (answered) => {
      this.#end(bytes, answered ? 'answered' : 'failed')
    })
    const exchange = new Exchange(services, drain, subrequestHead(request), bytes === 0)
    drain.exchange = exchange
    exchange.begin(live)
    if (bytes === 0 || exchange.finished) return
    exchange.onRequestBody(Buffer.from(request.body, 'latin1'), 0, bytes)
    exchange.onRequestEnd(undefined)
    exchange.onRequestFlush()
  }

  #end(bytes: number, fate: keyof typeof cells): void {
    this.#copies--
    this.#bytes -= bytes
    this.#count(fate)
  }

  #count(fate: keyof typeof cells): void {
    const { worker, writer } = this.#services
    worker.add(writer, cells[fate], 1)
  }
}

/** The client's place in the exchange with a mirror: whatever is answered is thrown away. */
class Drain implements ServerStream {
  readonly peer: Peer
  readonly backedUp = false
  exchange: Exchange | undefined
  #onOver: ((answered: boolean) => void) | undefined
  #bytes = 0

  constructor(peer: Peer, onOver: (answered: boolean) => void) {
    this.peer = peer
    this.#onOver = onOver
  }

  sendInterim(): void {}

  sendHead(_head: ResponseHead, ended: boolean): void {
    if (ended) this.#over(true)
  }

  sendText(text: string): boolean {
    return this.#drain(text.length)
  }

  sendData(_buffer: Buffer, start: number, end: number): boolean {
    return this.#drain(end - start)
  }

  sendEnd(): void {
    this.#over(true)
  }

  flush(): void {}

  reset(): void {
    this.#over(false)
  }

  pauseBody(): void {}
  resumeBody(): void {}

  #drain(bytes: number): boolean {
    this.#bytes += bytes
    if (this.#bytes > answerBytesMax) {
      this.#over(true)
      this.exchange?.onRequestReset('cancel')
    }
    return true
  }

  /** An answer that the proxy made itself says that the mirror gave none. */
  #over(whole: boolean): void {
    const onOver = this.#onOver
    this.#onOver = undefined
    onOver?.(whole && (this.exchange?.failure ?? '') === '')
  }
}

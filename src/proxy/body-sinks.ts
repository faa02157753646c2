import type { ClientStream, ServerStream } from '#src/exchange/streams.ts'
import type { BodyTarget } from './body-filters.ts'
import type { RequestBody } from './request-body.ts'

/** Where a filtered request body goes: into the copy for another try, and to the upstream. */
export class RequestSink implements BodyTarget {
  readonly #body: RequestBody
  readonly #stream: ClientStream | undefined

  constructor(body: RequestBody, stream: ClientStream | undefined) {
    this.#body = body
    this.#stream = stream
  }

  get backedUp(): boolean {
    return this.#stream?.backedUp ?? true
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    return this.#body.take(buffer, start, end, this.#stream)
  }

  writeText(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1')
    return this.write(bytes, 0, bytes.length)
  }
}

/** Where a filtered response body goes: to the client. */
export class StreamSink implements BodyTarget {
  readonly #stream: ServerStream

  constructor(stream: ServerStream) {
    this.#stream = stream
  }

  get backedUp(): boolean {
    return this.#stream.backedUp
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    return this.#stream.sendData(buffer, start, end)
  }

  writeText(text: string): boolean {
    return this.#stream.sendText(text)
  }
}

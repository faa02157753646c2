import type { Fields } from '#src/exchange/fields.ts'
import type { Connection } from '#src/transport/transport.ts'

/** Pieces of a body up to this size join the text that waits; larger ones go out as they are. */
const textBytesMax = 16 * 1024
/** Text that waits for `flush` goes out at this length. */
const pendingMax = 64 * 1024

/** How the body being written is framed; `raw` ends with the connection. */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'raw'

/**
 * Writes messages to a connection. What is sent between two flushes leaves in one call: heads and
 * small pieces of bodies are joined to one text, a large piece takes the text before it along.
 */
export class MessageWriter {
  /** Text for the next write. */
  #pending = ''
  #framing: BodyFraming = 'none'
  /** With `length`: bytes that the body still lacks. */
  #lacking = 0
  /** More came than was declared. */
  #surplus = false
  /** Undefined while the connection is being opened: all waits as text. */
  #connection: Connection | undefined

  /** From now on what is flushed goes to `connection`. */
  attach(connection: Connection): void {
    this.#connection = connection
  }

  /** Characters that wait for a flush. */
  get pending(): number {
    return this.#pending.length
  }

  get backedUp(): boolean {
    return this.#connection === undefined || this.#connection.backedUp
  }

  /** Starts a message. `length` counts with the framing `length` only. */
  start(head: string, framing: BodyFraming, length: number): void {
    this.#pending += head
    this.#framing = framing
    this.#lacking = length
    this.#surplus = false
  }

  /** Adds text outside of any body. */
  append(text: string): void {
    this.#pending += text
  }

  /** A piece of the body. Of more than was declared, the surplus is left out. */
  text(text: string): boolean {
    const size = this.#admit(text.length)
    const piece = size < text.length ? text.slice(0, size) : text
    if (size > 0) {
      this.#pending += this.#framing === 'chunked' ? `${size.toString(16)}\r\n${piece}\r\n` : piece
      if (this.#pending.length > pendingMax) this.flush()
    }
    return !this.backedUp
  }

  data(buffer: Buffer, start: number, end: number): boolean {
    if (end - start <= textBytesMax || this.#connection === undefined) {
      return this.text(buffer.latin1Slice(start, end))
    }
    const size = this.#admit(end - start)
    if (size === 0) return !this.#connection.backedUp
    const chunked = this.#framing === 'chunked'
    const before = chunked ? `${this.#pending}${size.toString(16)}\r\n` : this.#pending
    this.#pending = chunked ? '\r\n' : ''
    this.#connection.writeBytes(before, buffer, start, start + size)
    return !this.#connection.backedUp
  }

  /** Ends the body. False: it was not what was declared, and no end was written. */
  end(trailers: Fields | undefined): boolean {
    const whole = this.#lacking === 0 && !this.#surplus
    if (whole && this.#framing === 'chunked') {
      this.#pending += trailers === undefined ? '0\r\n\r\n' : `0\r\n${trailers.toLines()}\r\n`
    }
    this.#framing = 'none'
    this.#lacking = 0
    return whole
  }

  /** Sends what waits, at the end of this turn of the event loop at the latest. */
  flush(): void {
    if (this.#pending === '' || this.#connection === undefined) return
    const text = this.#pending
    this.#pending = ''
    this.#connection.writeLater(text)
  }

  /** Sends what waits, and what was to leave at the end of the turn, at once. */
  flushNow(): void {
    const text = this.#pending
    this.#pending = ''
    this.#connection?.writeText(text)
  }

  /** Forgets what waits. */
  drop(): void {
    this.#pending = ''
    this.#framing = 'none'
    this.#lacking = 0
  }

  /** How many of the next `size` bytes belong to the body. */
  #admit(size: number): number {
    if (this.#framing === 'none') return 0
    if (this.#framing !== 'length') return size
    if (size > this.#lacking) this.#surplus = true
    const admitted = Math.min(size, this.#lacking)
    this.#lacking -= admitted
    return admitted
  }
}

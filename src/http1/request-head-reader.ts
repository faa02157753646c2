import { CR, LF } from './characters.ts'
import { incomplete, refused } from './field-scanner.ts'
import { HeadBuffer } from './head-buffer.ts'
import { looksLikeHttp2Preface } from './http2-preface.ts'
import type { Http1ServerOptions } from './options.ts'
import type { Refusal } from './refusals.ts'
import { RepeatedHead } from './repeated-head.ts'
import type { RequestParser, RequestReading } from './request-parser.ts'

/** Empty lines before a request (RFC 9112 2.2). */
const blankLinesMax = 16

/**
 * What the bytes read last were: nothing but empty lines, a part of a head, the end of a whole
 * head, which the parser now has, no head, or what may be HTTP/2's preface and was not taken.
 */
export type HeadOutcome = 'nothing' | 'part' | 'whole' | 'refused' | 'preface'

/** Finds request heads on one connection, whole in one read or cut anywhere. */
export class RequestHeadReader {
  outcome: HeadOutcome = 'nothing'
  refusal: Refusal = 'malformed-request-line'
  /** What was refused began like a HEAD request, whose answer has no body. */
  headOnly = false
  /** The first bytes may be those of HTTP/2. */
  sniffs = false
  /** In force for the head that is being read. */
  options: Http1ServerOptions
  readonly #parser: RequestParser
  #part: HeadBuffer | undefined
  /** There from the second head on: many connections carry but one. */
  #last: RepeatedHead<RequestReading> | undefined
  #sawHead = false
  #blankLines = 0
  /** The last byte was the CR of an empty line. */
  #halfBlankLine = false

  constructor(parser: RequestParser, options: Http1ServerOptions) {
    this.#parser = parser
    this.options = options
  }

  /**
   * Reads on from `from`; `options` count for a head that begins here. Returns the position
   * reached.
   */
  read(buffer: Buffer, from: number, end: number, options: Http1ServerOptions): number {
    if (this.#part !== undefined) return this.#readOn(this.#part, buffer, from, end)
    if (this.sniffs) {
      this.sniffs = false
      if (looksLikeHttp2Preface(buffer, from, end) !== 'no') {
        this.outcome = 'preface'
        return end
      }
    }
    const start = this.#skipBlankLines(buffer, from, end)
    if (start < 0) {
      this.#refuse('malformed-request-line', false)
      return end
    }
    this.outcome = 'nothing'
    if (start === end) return end
    if (options !== this.options) this.#follow(options)
    const again = this.#last === undefined ? 0 : this.#readAgain(this.#last, buffer, start, end)
    if (again > 0) return this.#finish(again, buffer, start, end)
    const position = this.#parser.parse(buffer, start, end, options)
    if (position > 0) this.#remember(buffer, start, position)
    if (position !== incomplete) return this.#finish(position, buffer, start, end)
    this.outcome = 'part'
    this.#part = new HeadBuffer(options.requestHeadBytesMax, options.requestLineBytesMax + 2)
    this.#part.append(buffer, start, end)
    return end
  }

  #follow(options: Http1ServerOptions): void {
    this.options = options
    // They may read the same head otherwise.
    this.#last?.forget()
  }

  /** The position behind a head that is the same as the last one; 0: it is another. */
  // oxlint-disable-next-line max-params -- the bytes as they lie: no object for them
  #readAgain(
    last: RepeatedHead<RequestReading>,
    buffer: Buffer,
    start: number,
    end: number,
  ): number {
    const reading = last.match(buffer, start, end)
    if (reading === undefined) return 0
    this.#parser.repeat(reading)
    return start + last.length
  }

  /** Keeps a head that was read, in case it comes again. */
  #remember(buffer: Buffer, start: number, end: number): void {
    if (this.#sawHead) this.#last ??= new RepeatedHead()
    this.#sawHead = true
    if (this.#last?.wants(end - start) === true) {
      this.#last.keep(buffer, start, end, this.#parser.reading())
    }
  }

  /** Forgets a head that was begun. */
  clear(): void {
    this.#part = undefined
  }

  #readOn(part: HeadBuffer, buffer: Buffer, from: number, end: number): number {
    const before = part.length
    this.outcome = 'part'
    if (!part.append(buffer, from, end)) return end
    const position = this.#parser.parse(part.bytes, 0, part.length, this.options)
    this.#part = undefined
    this.#finish(position, part.bytes, 0, part.length)
    return position < 0 ? end : from + position - before
  }

  // oxlint-disable-next-line max-params -- the bytes as they lie: no object for them
  #finish(position: number, buffer: Buffer, start: number, end: number): number {
    if (position < 0) {
      const headOnly = end - start >= 5 && buffer.latin1Slice(start, start + 5) === 'HEAD '
      this.#refuse(this.#parser.refusal, headOnly)
      return end
    }
    this.outcome = 'whole'
    this.#blankLines = 0
    return position
  }

  /** The first byte that is not in an empty line, or `refused`. */
  #skipBlankLines(buffer: Buffer, from: number, end: number): number {
    let at = from
    if (this.#halfBlankLine) {
      this.#halfBlankLine = false
      if (buffer[at++] !== LF) return refused
    }
    for (; at < end && buffer[at] === CR; at += 2) {
      if (++this.#blankLines > blankLinesMax) return refused
      if (at + 1 === end) {
        this.#halfBlankLine = true
        return end
      }
      if (buffer[at + 1] !== LF) return refused
    }
    return at
  }

  #refuse(refusal: Refusal, headOnly: boolean): void {
    this.outcome = 'refused'
    this.refusal = refusal
    this.headOnly = headOnly
  }
}

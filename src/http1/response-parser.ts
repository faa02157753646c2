import { ResponseHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { fieldMask } from '#src/exchange/known-fields.ts'
import { readConnection } from './connection-options.ts'
import { FieldScanner, incomplete, refused } from './field-scanner.ts'
import { chunkedFraming, noFraming, readFraming } from './framing.ts'
import { HopFields, connectionId, responseHopFields, upgradeId } from './hop-fields.ts'
import { StatusLine } from './status-line.ts'

/** `framing` of a body that lasts until the connection ends. */
export const untilClose = -10

/** A head with more lines is refused; what an upstream may send is bounded in bytes first. */
const fieldsMax = 1000
const trailerField = fieldMask('trailer')

/** What the request says about the response to it. */
export type AskedBy = Pick<RequestHead, 'method' | 'upgrade'>

/** What a parser made of a head, to be taken up again when the same head comes once more. */
export interface ResponseReading {
  readonly head: ResponseHead
  /** Of the request that it answered. */
  readonly method: string
  readonly persistent: boolean
  readonly framing: number
}

/**
 * Reads response heads (RFC 9112 4 to 7) out of buffers that hold them whole, as strictly as
 * requests. One parser serves all connections of a thread; its members hold the outcome of the last
 * head.
 */
export class ResponseParser {
  /** The last head was refused because of its size. */
  tooLarge = false
  /** The upstream keeps the connection open. */
  persistent = false
  /** Framing of the body: a length, `chunkedFraming` or `untilClose`. */
  framing = 0
  #head: ResponseHead | undefined
  readonly #line = new StatusLine()
  readonly #scanner = new FieldScanner()
  readonly #hop = new HopFields()
  readonly #connection = { close: false, keepAlive: false, upgrade: false }

  constructor() {
    this.#scanner.fieldsMax = fieldsMax
  }

  /** The head read last, which is the caller's from now on. */
  takeHead(): ResponseHead {
    const head = this.#head as ResponseHead
    this.#head = undefined
    return head
  }

  /**
   * What was made of the head read last, before the caller takes it; undefined: it is an interim one, or
   * means more than its bytes say.
   */
  reading({ method, upgrade }: AskedBy): ResponseReading | undefined {
    const from = this.#head as ResponseHead
    if (from.status < 200 || upgrade !== '') return undefined
    const head = new ResponseHead()
    head.copyReceived(from)
    return { head, method, persistent: this.persistent, framing: this.framing }
  }

  /** The same head has come again. False: not in answer to the same. */
  repeat({ head, method, persistent, framing }: ResponseReading, asked: AskedBy): boolean {
    if (method !== asked.method || asked.upgrade !== '') return false
    const again = (this.#head ??= takeResponseHead())
    again.copyReceived(head)
    this.persistent = persistent
    this.framing = framing
    return true
  }

  /**
   * Reads a head that begins at `start` and may have `bytesMax` bytes. Returns the position behind
   * it; `incomplete` when its end is not there yet and may still come; or `refused`.
   */
  parse(buffer: Buffer, start: number, end: number, bytesMax: number): number {
    this.tooLarge = false
    const headEnd = Math.min(end, start + bytesMax)
    const head = (this.#head ??= takeResponseHead())
    const position = this.#scan(buffer, start, headEnd, head)
    if (position < 0) {
      head.clear()
      if (position === incomplete && headEnd - start < bytesMax) return incomplete
      this.tooLarge ||= position === incomplete
      return refused
    }
    head.fields.text = buffer.latin1Slice(start, position)
    return position
  }

  #scan(buffer: Buffer, start: number, end: number, head: ResponseHead): number {
    const scanner = this.#scanner
    scanner.base = start
    scanner.tooMany = false
    const fieldsStart = this.#line.read(buffer, start, end)
    if (fieldsStart < 0) return fieldsStart
    const position = scanner.scan(buffer, fieldsStart, end, head.fields)
    this.tooLarge = scanner.tooMany
    return position
  }

  /**
   * Acts on what concerns this hop, in the head read last. False: the response breaks the protocol.
   */
  interpret(asked: AskedBy): boolean {
    const head = this.#head as ResponseHead
    const good = this.#interpret(head, asked)
    if (!good) head.clear()
    return good
  }

  #interpret(head: ResponseHead, asked: AskedBy): boolean {
    const { fields } = head
    const line = this.#line
    const { base } = this.#scanner
    head.version = line.version
    head.status = line.status
    head.reason = fields.text.slice(line.reasonStart - base, line.reasonEnd - base)
    this.#hop.take(fields, responseHopFields)
    const declared = readFraming(this.#hop, head.version)
    if (declared < chunkedFraming) return false
    const connection = this.#connection
    if (!readConnection(this.#hop.get(connectionId), fields, connection)) return false
    this.persistent = !connection.close && (head.version > 10 || connection.keepAlive)
    if (declared !== chunkedFraming) fields.removeKnown(trailerField)
    if (head.status < 200 || head.status === 204) return this.#neverWithBody(head, declared, asked)
    if (asked.method === 'HEAD' || head.status === 304) this.#withoutBody(head, declared)
    else this.#withBody(head, declared)
    return true
  }

  #withBody(head: ResponseHead, declared: number): void {
    this.framing = declared === noFraming ? untilClose : declared
    if (declared === noFraming) this.persistent = false
    head.contentLength = declared >= 0 ? declared : -1
    if (head.status === 426) head.upgrade = this.#hop.get(upgradeId) ?? ''
  }

  /** The framing fields say what the body would have been. */
  #withoutBody(head: ResponseHead, declared: number): void {
    this.framing = 0
    head.contentLength = declared >= 0 ? declared : -1
  }

  /** 1xx and 204 have no body and no framing; who adds one may send it, so the connection ends. */
  #neverWithBody(head: ResponseHead, declared: number, asked: AskedBy): boolean {
    this.framing = 0
    head.contentLength = 0
    if (declared !== noFraming && declared !== 0) this.persistent = false
    if (head.status !== 101) return true
    head.upgrade = this.#hop.get(upgradeId) ?? asked.upgrade
    return asked.upgrade !== '' && head.version > 10 && isAmong(head.upgrade, asked.upgrade)
  }
}

/** RFC 9110 7.8: a server must not switch to a protocol that was not asked for. */
function isAmong(chosen: string, asked: string): boolean {
  const offers = asked.toLowerCase().split(',')
  const choices = chosen.toLowerCase().split(',')
  return choices.every((choice) => offers.some((offer) => offer.trim() === choice.trim()))
}

import { isAuthority } from '#src/exchange/authority.ts'
import { RequestHead, takeRequestHead } from '#src/exchange/heads.ts'
import { fieldId, fieldMask } from '#src/exchange/known-fields.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { readConnection } from './connection-options.ts'
import { FieldScanner, incomplete, refused } from './field-scanner.ts'
import { badFraming, chunkedFraming, noFraming, readFraming, unknownCoding } from './framing.ts'
import {
  HopFields,
  connectionId,
  expectId,
  hostId,
  requestHopFields,
  teId,
  upgradeId,
} from './hop-fields.ts'
import type { Http1ServerOptions } from './options.ts'
import type { Refusal } from './refusals.ts'
import { RequestLine } from './request-line.ts'
import { readTarget } from './request-target.ts'
import type { TargetParts } from './request-target.ts'

const trailerField = fieldMask('trailer')
const authorizationId = fieldId('authorization')
const maxForwardsId = fieldId('max-forwards')
const watchedFields = fieldMask('authorization', 'max-forwards')

/** What a parser made of a head, to be taken up again when the same head comes once more. */
export interface RequestReading {
  readonly head: RequestHead
  readonly persistent: boolean
  readonly framing: number
}

/**
 * Reads request heads (RFC 9112 2 to 7, 9.3) out of buffers that hold them whole. What counts for
 * this hop is acted on here; the head that comes out has it as plain members. One parser serves all
 * connections of a thread; its members hold the outcome of the last head.
 */
export class RequestParser {
  /** Why the last head was refused. */
  refusal: Refusal = 'malformed-request-line'
  /** The client keeps the connection open for more. */
  persistent = false
  /** Framing of the body: a length, or `chunkedFraming`. */
  framing = 0
  #head: RequestHead | undefined
  readonly #line = new RequestLine()
  readonly #scanner = new FieldScanner()
  readonly #hop = new HopFields()
  readonly #connection = { close: false, keepAlive: false, upgrade: false }
  readonly #parts: TargetParts = { target: '', authority: '' }
  /**
   * The last good Host: most requests repeat it, and one string for all of them is cheaper further
   * on.
   */
  #lastHost: string | undefined

  /** The head read last, which is the caller's from now on. */
  takeHead(): RequestHead {
    const head = this.#head as RequestHead
    this.#head = undefined
    return head
  }

  /** What was made of the head read last, before the caller takes it; undefined: not of its lines alone. */
  reading(): RequestReading | undefined {
    const from = this.#head as RequestHead
    if (!from.fields.onlyReceived) return undefined
    const head = new RequestHead()
    head.copyReceived(from)
    return { head, persistent: this.persistent, framing: this.framing }
  }

  /** The same head has come again. */
  repeat({ head, persistent, framing }: RequestReading): void {
    const again = (this.#head ??= takeRequestHead())
    again.copyReceived(head)
    this.persistent = persistent
    this.framing = framing
  }

  /**
   * Reads a head that begins at `start`. Returns the position behind it; `incomplete` when its end
   * is not there yet and may still come; or `refused`.
   */
  parse(buffer: Buffer, start: number, end: number, options: Http1ServerOptions): number {
    const headEnd = Math.min(end, start + options.requestHeadBytesMax)
    const headFull = headEnd - start >= options.requestHeadBytesMax
    const fieldsStart = this.#readLine(buffer, start, headEnd, options.requestLineBytesMax)
    if (fieldsStart < 0) return this.#stop(fieldsStart, headFull, this.refusal)
    const head = (this.#head ??= takeRequestHead())
    const scanner = this.#scanner
    scanner.base = start
    scanner.fieldsMax = options.requestFieldsMax
    scanner.rules = options
    const position = scanner.scan(buffer, fieldsStart, headEnd, head.fields)
    if (position < 0) {
      head.clear()
      return this.#stop(position, headFull, scanner.tooMany ? 'too-many-fields' : 'malformed-field')
    }
    head.fields.text = buffer.latin1Slice(start, position)
    const refusal = this.#interpret(head, start)
    if (refusal === '') return position
    head.clear()
    return this.#stop(refused, false, refusal)
  }

  #readLine(buffer: Buffer, start: number, end: number, bytesMax: number): number {
    const line = this.#line
    const lineEnd = Math.min(end, start + bytesMax + 2)
    const position = line.read(buffer, start, lineEnd)
    this.refusal = line.refusal
    if (position !== incomplete || lineEnd - start < bytesMax + 2) return position
    this.refusal = 'request-line-too-long'
    return refused
  }

  #stop(result: number, headFull: boolean, refusal: Refusal): number {
    if (result === incomplete && !headFull) return incomplete
    this.refusal = result === incomplete ? 'head-too-large' : refusal
    return refused
  }

  /** Acts on what concerns this hop. Returns why the request cannot be served, or ''. */
  #interpret(head: RequestHead, start: number): Refusal | '' {
    const { fields } = head
    const line = this.#line
    head.version = line.version
    head.method = methodAt(fields.text, line.methodEnd - start)
    if (head.method === 'CONNECT' || head.method === 'TRACE') return 'method-not-allowed'
    this.#hop.take(fields, requestHopFields)
    const target = fields.text.slice(line.targetStart - start, line.targetEnd - start)
    return (
      this.#readTarget(head, target) ||
      this.#readFraming(head) ||
      this.#readConnection(head) ||
      this.#readExpectation(head) ||
      refusalOfFields(head)
    )
  }

  #readTarget(head: RequestHead, target: string): Refusal | '' {
    const host = this.#hop.get(hostId)
    if (host === undefined) {
      if (head.version > 10) return 'missing-host'
    } else {
      if (this.#hop.repeated(hostId)) return 'duplicate-host'
      const known = this.#lastHost
      if (host === known) {
        head.authority = known
      } else if (isAuthority(host)) {
        this.#lastHost = host
        head.authority = host
      } else return 'malformed-host'
    }
    const parts = this.#parts
    if (!readTarget(target, head.method, parts)) return 'malformed-target'
    head.target = parts.target
    // RFC 9112 3.2.2: what the target says replaces Host.
    if (parts.authority !== '') head.authority = parts.authority
    return ''
  }

  #readFraming(head: RequestHead): Refusal | '' {
    const framing = readFraming(this.#hop, head.version)
    if (framing === badFraming) return 'malformed-framing'
    if (framing === unknownCoding) return 'unsupported-coding'
    this.framing = framing === noFraming ? 0 : framing
    head.contentLength = framing === chunkedFraming ? -1 : this.framing
    if (framing !== chunkedFraming) head.fields.removeKnown(trailerField)
    return ''
  }

  #readConnection(head: RequestHead): Refusal | '' {
    const hop = this.#hop
    const connection = this.#connection
    if (!readConnection(hop.get(connectionId), head.fields, connection)) {
      return 'malformed-connection'
    }
    const modern = head.version > 10
    this.persistent = !connection.close && (modern || connection.keepAlive)
    const te = hop.get(teId)
    if (te !== undefined) head.acceptsTrailers = modern && listHas(te, 'trailers')
    const upgrade = hop.get(upgradeId)
    // With a body the offer would be settled amid the body; it is an offer, so we may pass it over.
    if (upgrade !== undefined && modern && connection.upgrade && this.framing === 0) {
      head.upgrade = servedProtocols(upgrade)
    }
    return ''
  }

  #readExpectation(head: RequestHead): Refusal | '' {
    const expectation = this.#hop.get(expectId)
    if (expectation === undefined) return ''
    if (expectation.toLowerCase() !== '100-continue') return 'unknown-expectation'
    head.expectContinue = head.version > 10 && this.framing !== 0
    return ''
  }
}

function methodAt(text: string, length: number): string {
  if (length === 3 && text.startsWith('GET')) return 'GET'
  return text.slice(0, length)
}

/** Whether a list has this member, in any case. */
function listHas(list: string, lowerMember: string): boolean {
  if (list === lowerMember) return true
  return list
    .toLowerCase()
    .split(',')
    .some((member) => member.trim() === lowerMember)
}

/**
 * The protocols of an Upgrade field that may be offered on. HTTP/2 is not switched to in this way
 * (RFC 9113 3.1), yet clients go on offering it: the offer goes, the request is served.
 */
function servedProtocols(list: string): string {
  if (list === 'websocket') return list
  return list
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocolForm.test(protocol) && !/^h2c?$/i.test(protocol))
    .join(', ')
}

/** RFC 9110 7.8: a name, and maybe a version. */
const protocolForm = /^[\w!#$%&'*+.^`|~-]+(\/[\w!#$%&'*+.^`|~-]+)?$/

/** Rules about fields that go on to the upstream. */
function refusalOfFields(head: RequestHead): Refusal | '' {
  const { fields } = head
  if ((fields.mask & watchedFields) === 0) return ''
  // Two of them would let us check one and the upstream believe the other.
  if (countOf(fields, authorizationId) > 1) return 'duplicate-credentials'
  return head.method === 'OPTIONS' ? spendForward(fields) : ''
}

/** Counts this hop in Max-Forwards (RFC 9110 7.6.2). */
function spendForward(fields: Fields): Refusal | '' {
  const text = fields.get('max-forwards')
  if (text === undefined) return ''
  if (!/^\d{1,9}$/.test(text) || countOf(fields, maxForwardsId) > 1) return 'malformed-max-forwards'
  if (Number(text) === 0) return 'no-forwards-left'
  fields.set('Max-Forwards', String(Number(text) - 1))
  return ''
}

function countOf(fields: Fields, id: number): number {
  let count = 0
  for (let i = 0; i < fields.size; i++) if (fields.idAt(i) === id) count++
  return count
}

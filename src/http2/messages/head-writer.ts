import type { Fields } from '#src/exchange/fields.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import { HpackEncoder } from '../hpack/encoder.ts'
import { nameRule, sentFieldName } from '../hpack/field-name.ts'
import type { FieldName, NameRule } from '../hpack/field-name.ts'
import { SentLines, sentBlock, sentLength } from '../hpack/sent-lines.ts'
import type { SentField } from '../hpack/sent-lines.ts'
import { writeFrameHeader, writeUint32 } from '../session/output.ts'
import type { Output } from '../session/output.ts'
import { defaultFrameBytes, flag, frameHeaderBytes, frameType } from '../protocol.ts'

const authorityName = sentFieldName(':authority')
const protocolName = sentFieldName(':protocol')
const teName = sentFieldName('te')
const expectName = sentFieldName('expect')

/** One for all sessions of the thread. */
const lines = new SentLines()

/** Fields of a head that HTTP/2 does not carry as fields (RFC 9113 8.2.2, 8.3). */
function isCarried(rule: NameRule): boolean {
  return rule === nameRule.ordinary || rule === nameRule.cookie || rule >= nameRule.underscored
}

/** Writes heads and trailers as HEADERS and CONTINUATION frames, into the session's output. */
export class HeadWriter {
  readonly encoder: HpackEncoder
  readonly #out: Output
  #sensitive = false
  /** One field that this head does not carry. */
  #without = ''

  constructor(out: Output, tableBytesMax: number) {
    this.#out = out
    this.encoder = new HpackEncoder(tableBytesMax)
  }

  /** Where the frame begins in the output is returned, so that END_STREAM can still be added. */
  response(streamId: number, head: ResponseHead, endStream: boolean): number {
    const out = this.#out
    const start = this.#begin()
    const tunnel = head.status === 101
    this.encoder.status(out, tunnel ? 200 : head.status)
    if (head.contentLength >= 0 && head.status >= 200 && head.status !== 204) {
      this.encoder.sentField(out, sentLength(head.contentLength))
    }
    this.#without = tunnel ? 'sec-websocket-accept' : ''
    this.#fields(head.fields)
    this.#finish(start, streamId, endStream)
    return start
  }

  /** `extended`: an extended CONNECT for `head.upgrade` (RFC 8441). */
  request(streamId: number, head: RequestHead, options: RequestOptions): number {
    const out = this.#out
    const { encoder } = this
    const start = this.#begin()
    encoder.method(out, options.extended ? 'CONNECT' : head.method)
    if (options.extended) encoder.field(out, protocolName, head.upgrade.toLowerCase())
    encoder.scheme(out, options.scheme)
    // A request of HTTP/1.0 may name no host.
    if (head.authority !== '') encoder.field(out, authorityName, head.authority)
    encoder.path(out, head.target)
    if (!options.extended && announcesLength(head)) {
      encoder.sentField(out, sentLength(head.contentLength))
    }
    if (head.acceptsTrailers) encoder.field(out, teName, 'trailers')
    if (head.expectContinue) encoder.field(out, expectName, '100-continue')
    this.#without = options.extended ? 'sec-websocket-key' : ''
    this.#fields(head.fields)
    this.#finish(start, streamId, options.endStream)
    return start
  }

  trailers(streamId: number, fields: Fields): void {
    const start = this.#begin()
    this.#without = ''
    this.#fields(fields)
    this.#finish(start, streamId, true)
  }

  /** Trailers that had to wait, as name, value, name, value. */
  trailerPairs(streamId: number, pairs: readonly string[], sensitive: boolean): void {
    const start = this.#begin()
    this.#without = ''
    this.#sensitive = sensitive
    for (let i = 0; i < pairs.length; i += 2) {
      this.#field(sentFieldName(pairs[i] as string), pairs[i + 1] as string)
    }
    this.#finish(start, streamId, true)
  }

  #begin(): number {
    const out = this.#out
    const start = out.length
    out.reserve(frameHeaderBytes)
    out.length += frameHeaderBytes
    this.encoder.begin(out)
    return start
  }

  #fields(fields: Fields): void {
    this.#sensitive = fields.sensitive
    for (let i = 0; i < fields.size; i++) {
      if (!fields.present(i)) continue
      const known = lines.find(fields, i)
      if (known === undefined) this.#field(sentFieldName(fields.nameAt(i)), fields.valueAt(i))
      else this.#known(known)
    }
    const { block } = fields
    if (block === undefined) return
    for (const field of sentBlock(block)) this.#known(field)
  }

  #known(field: SentField): void {
    const { name } = field
    if (!isCarried(name.rule) || name.name === this.#without) return
    if (this.#sensitive) this.encoder.sensitiveField(this.#out, name, field.value)
    else this.encoder.sentField(this.#out, field)
  }

  #field(name: FieldName, value: string): void {
    if (!isCarried(name.rule) || name.name === this.#without) return
    if (this.#sensitive) this.encoder.sensitiveField(this.#out, name, value)
    else this.encoder.field(this.#out, name, value)
  }

  /** Puts the frame header before the block; a block larger than a frame is cut up. */
  #finish(start: number, streamId: number, endStream: boolean): void {
    const out = this.#out
    const block = out.length - start - frameHeaderBytes
    const frames = Math.max(1, Math.ceil(block / defaultFrameBytes))
    const ends = endStream ? flag.endStream : 0
    if (frames === 1) {
      this.#header(start, frameType.headers, ends | flag.endHeaders, block)
      writeUint32(out.buffer, start + 5, streamId)
      return
    }
    out.reserve((frames - 1) * frameHeaderBytes)
    out.length += (frames - 1) * frameHeaderBytes
    const { buffer } = out
    for (let i = frames - 1; i >= 0; i--) {
      const from = start + frameHeaderBytes + i * defaultFrameBytes
      const length = Math.min(defaultFrameBytes, block - i * defaultFrameBytes)
      const at = start + i * (frameHeaderBytes + defaultFrameBytes)
      if (i > 0) buffer.copyWithin(at + frameHeaderBytes, from, from + length)
      const type = i === 0 ? frameType.headers : frameType.continuation
      const flags = (i === 0 ? ends : 0) | (i === frames - 1 ? flag.endHeaders : 0)
      this.#header(at, type, flags, length)
      writeUint32(buffer, at + 5, streamId)
    }
  }

  // oxlint-disable-next-line max-params -- once a frame
  #header(at: number, type: number, flags: number, length: number): void {
    writeFrameHeader(this.#out.buffer, at, (type << 8) | flags, length)
  }
}

/** What a request's frames need beside its head. */
export interface RequestOptions {
  scheme: 'http' | 'https'
  extended: boolean
  endStream: boolean
}

/** A length is told with every body, and its absence where the method expects one (RFC 9110 8.6). */
function announcesLength(head: RequestHead): boolean {
  if (head.contentLength !== 0) return head.contentLength > 0
  return head.method === 'POST' || head.method === 'PUT' || head.method === 'PATCH'
}

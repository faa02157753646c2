import { fieldId } from '#src/exchange/known-fields.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { COLON, CR, LF, SPACE, TAB, nameClass, plainNameByte, valueClass } from './characters.ts'
import { knownNameAt } from './known-names.ts'

/** Results of a scan below 0; all others are positions. */
export const incomplete = -1
export const refused = -2

/** What to do with names that are tokens but hold more than letters, digits and hyphens. */
export interface NameRules {
  /** Drop them, as nginx does; those with underscores only where they are not allowed. */
  readonly ignoreInvalidHeaders: boolean
  readonly underscoresInHeaders: boolean
}

/**
 * Reads field lines, of heads and trailers, strictly (RFC 9112 5): one pass over the bytes, no
 * string, no object a line. Each line ends with CRLF and has a token as its name, directly followed
 * by a colon; no folding, no control character. One scanner serves all connections of a thread.
 */
export class FieldScanner {
  /** Position in the buffer that is position 0 of the text that the lines will lie in. */
  base = 0
  /** More lines than this are refused. */
  fieldsMax = 0
  /** Undefined: every token is a good name, as in responses. */
  rules: NameRules | undefined
  /** The last scan was refused because of `fieldsMax`. */
  tooMany = false
  #buffer: Buffer | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))

  /**
   * Adds the lines from `from` on to `fields`, up to the empty line. Returns the position behind
   * the empty line, `incomplete` when the bytes end before it, or `refused`.
   */
  // oxlint-disable-next-line complexity -- the hot loop: calls and objects a line cost more
  scan(buffer: Buffer, from: number, end: number, fields: Fields): number {
    if (buffer !== this.#buffer) this.#look(buffer)
    let position = from
    for (;;) {
      if (position >= end) return incomplete
      if (buffer[position] === CR) return lineFeedAt(buffer, position + 1, end)
      let at = position
      while (at < end && nameClass[buffer[at] as number] === plainNameByte) at++
      const odd = at < end && buffer[at] !== COLON
      if (odd) at = skipToken(buffer, at, end)
      if (at >= end) return incomplete
      if (buffer[at] !== COLON || at === position) return this.#refuse(false)
      const nameEnd = at++
      while (at < end && isBlank(buffer[at] as number)) at++
      const valueStart = at
      at = this.#skipValue(buffer, at, end)
      if (at >= end) return incomplete
      if (buffer[at] !== CR) return this.#refuse(false)
      const next = lineFeedAt(buffer, at + 1, end)
      if (next < 0) return next
      while (at > valueStart && isBlank(buffer[at - 1] as number)) at--
      if (fields.size >= this.fieldsMax) return this.#refuse(true)
      const { base } = this
      if (!odd) {
        const id = knownNameAt(buffer, position, nameEnd)
        fields.addLine(
          id,
          position - base,
          nameEnd - base,
          valueStart - base,
          at - base,
          next - base,
        )
      } else if (keepsOddName(buffer.latin1Slice(position, nameEnd), this.rules)) {
        fields.addLine(
          0,
          position - base,
          nameEnd - base,
          valueStart - base,
          at - base,
          next - base,
        )
      }
      position = next
    }
  }

  /**
   * The first byte from `from` on that no value may hold; four at a time while all is plain ASCII.
   */
  #skipValue(buffer: Buffer, from: number, end: number): number {
    const view = this.#view
    let at = from
    for (const last = end - 4; at <= last; at += 4) {
      const four = view.getInt32(at, true)
      // A high bit comes up when a byte is below 0x20 or above 0x7e.
      if ((((four - 0x20202020) | four | (four + 0x01010101)) & 0x80808080) !== 0) break
    }
    while (at < end && valueClass[buffer[at] as number] === 1) at++
    return at
  }

  #look(buffer: Buffer): void {
    this.#buffer = buffer
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  }

  #refuse(tooMany: boolean): number {
    this.tooMany = tooMany
    return refused
  }
}

function skipToken(buffer: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && nameClass[buffer[at] as number] !== 0) at++
  return at
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB
}

/**
 * The position behind the LF that must be here, `incomplete` at the end of the bytes, or `refused`.
 */
export function lineFeedAt(buffer: Buffer, position: number, end: number): number {
  if (position >= end) return incomplete
  return buffer[position] === LF ? position + 1 : refused
}

/**
 * Whether a field with an unusual name stays. Never one that a server behind us could take for a
 * field that the proxy acts on: CGI and its heirs read `_`, and some also `.`, as a hyphen.
 */
function keepsOddName(name: string, rules: NameRules | undefined): boolean {
  if (rules === undefined) return true
  if (fieldId(name.toLowerCase().replaceAll(/[^a-z\d]/g, '-')) > 0) return false
  if (!rules.ignoreInvalidHeaders) return true
  return rules.underscoresInHeaders && /^[\w-]+$/.test(name)
}

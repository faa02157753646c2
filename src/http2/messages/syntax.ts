/** Character classes of RFC 9110 and RFC 3986, as tables and checks on strings of latin1. */

function bytesOf(...ranges: readonly (readonly [number, number])[]): Uint8Array {
  const table = new Uint8Array(256)
  for (const [from, to] of ranges) table.fill(1, from, to + 1)
  return table
}

function bytesIn(text: string): (readonly [number, number])[] {
  return Array.from(text, (char) => [char.charCodeAt(0), char.charCodeAt(0)] as const)
}

const digits = [0x30, 0x39] as const
const upper = [0x41, 0x5a] as const
const lower = [0x61, 0x7a] as const

/** token (RFC 9110 5.6.2). */
const tokenByte = bytesOf(digits, upper, lower, ...bytesIn("!#$%&'*+-.^_`|~"))
/** The same in lower case (RFC 9113 8.2.1). */
const lowerTokenByte = bytesOf(digits, lower, ...bytesIn("!#$%&'*+-.^_`|~"))
/** field-vchar, SP and HTAB (RFC 9110 5.5); obs-text is allowed. */
export const valueByte = bytesOf([0x09, 0x09], [0x20, 0x7e], [0x80, 0xff])
/**
 * What a request target may hold: not `#`, which begins a fragment, nor bytes from 0x80 on, which are no
 * URI characters. `|` and its like are none either (RFC 3986 2), but in use.
 */
const targetByte = bytesOf([0x21, 0x22], [0x24, 0x7e])
const hexByte = bytesOf(digits, [0x41, 0x46], [0x61, 0x66])

function every(text: string, table: Uint8Array, from = 0, to = text.length): boolean {
  for (let i = from; i < to; i++) {
    if (table[text.charCodeAt(i)] !== 1) return false
  }
  return true
}

/** A field name as HTTP/2 carries it: a token without upper case. */
export function isFieldName(text: string): boolean {
  return text !== '' && every(text, lowerTokenByte)
}

export function isToken(text: string): boolean {
  return text !== '' && every(text, tokenByte)
}

/** Path and query, in origin-form: begins with a slash, no fragment, whole percent-encodings. */
export function isOriginForm(text: string): boolean {
  if (text.charCodeAt(0) !== 0x2f) return false
  for (let i = 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (targetByte[code] !== 1) return false
    if (code === 0x25 && !isHexPair(text, i + 1)) return false
  }
  return true
}

function isHexPair(text: string, at: number): boolean {
  return at + 2 <= text.length && every(text, hexByte, at, at + 2)
}

/** Decimal digits of a length up to 2^53 - 1; -1 for anything else (RFC 9110 8.6). */
export function parseLength(text: string): number {
  if (text === '' || text.length > 16) return -1
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length <= Number.MAX_SAFE_INTEGER ? length : -1
}

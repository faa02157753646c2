import { contentLengthId, transferEncodingId } from './hop-fields.ts'
import type { HopFields } from './hop-fields.ts'

/** Results of `readFraming` below 0; all others are a length. */
export const noFraming = -1
export const chunkedFraming = -2
export const badFraming = -3
export const unknownCoding = -4

const lengthDigitsMax = 32

/**
 * What Content-Length and Transfer-Encoding say about the body (RFC 9112 6): a length,
 * `chunkedFraming` or `noFraming`. Strict where the RFC lets a recipient repair: both fields, a
 * repeated field, a list, or any other coding is refused, since the next hop may have repaired it
 * otherwise.
 */
export function readFraming(hop: HopFields, version: number): number {
  const length = hop.get(contentLengthId)
  const coding = hop.get(transferEncodingId)
  if (coding !== undefined) {
    if (length !== undefined || version < 11 || hop.repeated(transferEncodingId)) return badFraming
    return readCoding(coding)
  }
  // A repeated field reads as a list, which is no length.
  return length === undefined ? noFraming : readLength(length)
}

function readCoding(coding: string): number {
  if (coding.length === 7 && coding.toLowerCase() === 'chunked') return chunkedFraming
  // A good list of codings that ends in chunked is something we do not have; the rest is wrong.
  return /^([\w!#$%&'*+.^`|~-]+[ \t]*,[ \t]*)+chunked$/i.test(coding) ? unknownCoding : badFraming
}

/** 1*DIGIT up to 2^53 - 1. */
function readLength(text: string): number {
  if (text.length === 0 || text.length > lengthDigitsMax) return badFraming
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return badFraming
    length = length * 10 + digit
  }
  return length <= Number.MAX_SAFE_INTEGER ? length : badFraming
}

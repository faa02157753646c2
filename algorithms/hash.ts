const firstFactor = 0xcc9e2d51
const secondFactor = 0x1b873593

/**
 * Seeded hash of a text, 0 to 2^32 - 1: MurmurHash3 x86_32 over its Latin-1 bytes.
 *
 * For placing keys and endpoints, where speed and even spread count. It resists nobody who picks
 * texts on purpose, so where that matters the seed must be secret. A text with characters above
 * U+00FF is hashed a second time by the high bytes of its UTF-16 units. Does not allocate.
 * Source: Austin Appleby's MurmurHash3 (public domain), whose test vectors hold for Latin-1 texts.
 */
export function hashText(text: string, seed: number): number {
  const { length } = text
  const blocksEnd = length & ~3
  let hash = seed | 0
  let units = 0
  let at = 0
  while (at < blocksEnd) {
    const a = text.charCodeAt(at)
    const b = text.charCodeAt(at + 1)
    const c = text.charCodeAt(at + 2)
    const d = text.charCodeAt(at + 3)
    units |= a | b | c | d
    hash ^= scramble((a & 0xff) | ((b & 0xff) << 8) | ((c & 0xff) << 16) | (d << 24))
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
    at += 4
  }
  let tail = 0
  for (let shift = 0; at < length; at++, shift += 8) {
    const unit = text.charCodeAt(at)
    units |= unit
    tail |= (unit & 0xff) << shift
  }
  hash = mixInteger(hash ^ scramble(tail) ^ length)
  return (units > 0xff ? hashHighBytes(text, hash) : hash) >>> 0
}

/**
 * Spreads every input bit over all 32 output bits: the finalizer of MurmurHash3, a bijection.
 * Signed, as is {@link hashPair}: the engine keeps signed 32 bits without allocating.
 */
export function mixInteger(value: number): number {
  let mixed = value ^ (value >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/** Hash of two 32-bit numbers. The order counts; for a fixed first number it is a bijection. */
export function hashPair(first: number, second: number): number {
  const spread = Math.imul(mixInteger(first ^ 0x9e3779b9), firstFactor)
  return mixInteger(spread ^ Math.imul(second, secondFactor))
}

function scramble(block: number): number {
  const product = Math.imul(block, firstFactor)
  return Math.imul((product << 15) | (product >>> 17), secondFactor)
}

function hashHighBytes(text: string, seed: number): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) hash = hashPair(hash, text.charCodeAt(at) >>> 8)
  return hash
}

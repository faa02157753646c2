import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashPair, hashText, mixInteger } from '#algorithms/hash.ts'
import { seededRandom } from '#algorithms/random.ts'
import { chiSquare, fill } from './support.ts'

test('hashText gives the vectors of MurmurHash3', () => {
  const vectors: [string, number, number][] = [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['hello', 0, 0x248bfa47],
    ['hello, world', 0, 0x149bbb7f],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ]
  for (const [text, seed, hash] of vectors) assert.equal(hashText(text, seed), hash, text)
})

test('hashText reads every unit of a text, at every place', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 20 }),
      fc.nat(),
      fc.integer({ min: 1, max: 0xffff }),
      (units, place, change) => {
        const text = String.fromCharCode(...units)
        const at = place % text.length
        const unit = text.charCodeAt(at)
        const other = String.fromCharCode(unit ^ change)
        const changed = text.slice(0, at) + other + text.slice(at + 1)
        assert.notEqual(hashText(changed, 7), hashText(text, 7))
      },
    ),
    { seed: 3 },
  )
})

test('hashText spreads addresses evenly, by its high bits and its low ones', () => {
  const high = fill(256, 0)
  const low = fill(256, 0)
  const count = 65_536
  for (let i = 0; i < count; i++) {
    const hash = hashText(`10.${i >> 8}.${i & 0xff}.7 8080`, 0)
    high[hash >>> 24] = (high[hash >>> 24] as number) + 1
    low[hash & 0xff] = (low[hash & 0xff] as number) + 1
  }
  const expected = fill(256, count / 256)
  // 99.99 % of chi-square with 255 degrees of freedom lies below 346.
  assert.ok(chiSquare(high, expected) < 346)
  assert.ok(chiSquare(low, expected) < 346)
})

test('mixInteger is a bijection whose every output bit depends on every input bit', () => {
  const seen = new Set(Array.from({ length: 100_000 }, (_, i) => mixInteger(i)))
  assert.equal(seen.size, 100_000)
  const random = seededRandom(1)
  const flips = Array.from({ length: 32 }, () => fill(32, 0))
  const samples = 4000
  for (let sample = 0; sample < samples; sample++) {
    const value = Math.floor(random() * 2 ** 32) | 0
    for (let bit = 0; bit < 32; bit++) {
      const change = mixInteger(value) ^ mixInteger(value ^ (1 << bit))
      for (let out = 0; out < 32; out++)
        (flips[bit] as number[])[out] =
          ((flips[bit] as number[])[out] as number) + ((change >>> out) & 1)
    }
  }
  for (const share of flips.flat()) assert.ok(Math.abs(share / samples - 0.5) < 0.06)
})

test('hashPair tells first from second and is a bijection of the second', () => {
  assert.notEqual(hashPair(1, 2), hashPair(2, 1))
  const seen = new Set(Array.from({ length: 100_000 }, (_, i) => hashPair(5, i)))
  assert.equal(seen.size, 100_000)
})

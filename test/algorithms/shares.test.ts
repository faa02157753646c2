import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { layShares, shareAt } from '#algorithms/hash/shares.ts'

/** How much of the line each share has, by its pieces. */
function lengths(shares: readonly number[]): number[] {
  const { ends, owners } = layShares(shares)
  const found = shares.map(() => 0)
  let start = 0
  for (const [i, end] of ends.entries()) {
    const owner = owners[i] as number
    if (owner >= 0) found[owner] = (found[owner] as number) + end - start
    start = end
  }
  assert.ok(Math.abs(start - 1) < 1e-9)
  return found
}

const shareLists = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 16 })

test('every share has its length, scaled down where all are more than the line', () => {
  fc.assert(
    fc.property(shareLists, (shares) => {
      const sum = Math.max(
        1,
        shares.reduce((total, share) => total + share, 0),
      )
      for (const [i, length] of lengths(shares).entries()) {
        assert.ok(Math.abs(length - (shares[i] as number) / sum) < 1e-9)
      }
    }),
  )
})

test('a share that grows into free room moves nobody else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1 / 16, noNaN: true }), { minLength: 2, maxLength: 16 }),
      fc.nat(15),
      fc.double({ min: 0, max: 1 / 16, noNaN: true }),
      (shares, index, changed) => {
        const at = index % shares.length
        const before = layShares(shares)
        const after = layShares(shares.with(at, changed))
        for (let point = 0; point < 1; point += 1 / 512) {
          const was = shareAt(before, point)
          const is = shareAt(after, point)
          assert.ok(was === is || (was === at && is === -1) || (was === -1 && is === at))
        }
      },
    ),
  )
})

test('nobody has the line of no shares', () => {
  assert.equal(shareAt(layShares([]), 0.5), -1)
  assert.equal(shareAt(layShares([0, 0]), 0), -1)
  assert.equal(shareAt(layShares([1]), 0.999_999), 0)
})

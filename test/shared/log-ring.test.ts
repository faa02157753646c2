import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LogRing } from '#src/shared/log-ring.ts'

/** Reads up to `bytesMax` bytes as text. */
function read(ring: LogRing, bytesMax: number): string {
  const run = ring.peek().subarray(0, bytesMax)
  const text = run.latin1Slice()
  ring.consume(run.length)
  return text
}

test('lines come out whole and in order, whatever the sizes, or are refused', () => {
  const step = fc.oneof(
    fc.record({ op: fc.constant('write' as const), size: fc.nat(70) }),
    fc.record({ op: fc.constant('read' as const), size: fc.nat(70) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ring = LogRing.create(64)
      let expected = ''
      let actual = ''
      let n = 0
      for (const { op, size } of steps) {
        if (op === 'read') {
          actual += read(ring, size)
          continue
        }
        const line = String(n++ % 10).repeat(size)
        const fits = ring.waiting + size + 1 <= 64
        assert.equal(ring.write(line), fits)
        if (fits) expected += `${line}\n`
      }
      while (ring.waiting > 0) actual += read(ring, 64)
      assert.equal(actual, expected)
    }),
  )
})

test('positions pass 2^32', () => {
  const first = LogRing.create(64)
  const { control, bytes } = first.buffers()
  control[0] = -10
  control[16] = -10
  const ring = LogRing.attach({ control, bytes })
  assert.equal(ring.write('0123456789'), true)
  assert.equal(ring.waiting, 11)
  assert.equal(read(ring, 64) + read(ring, 64), '0123456789\n')
  assert.equal(ring.waiting, 0)
})

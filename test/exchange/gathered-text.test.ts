import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { GatheredText } from '#src/exchange/gathered-text.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test('what comes out is what came in', () => {
  const piece = fc.string({ unit: 'binary-ascii', maxLength: 600 })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 300 }), (pieces) => {
      const gathered = new GatheredText()
      for (const text of pieces) gathered.append(text)
      assert.equal(gathered.toString(), pieces.join(''))
      assert.equal(gathered.length, pieces.join('').length)
    }),
    { numRuns: 50 },
  )
})

test('a text of single bytes takes up no more than four times its length', () => {
  const bytes = Array.from({ length: 256 }, (_, code) => Buffer.of(code).latin1Slice())
  const length = 2 ** 20
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const gathered = new GatheredText()
  for (let i = 0; i < length; i++) gathered.append(bytes[i & 255] as string)
  collectGarbage()
  const grown = process.memoryUsage().heapUsed - before
  assert.equal(gathered.length, length)
  assert.ok(grown < 4 * length, `${grown} bytes for ${length}`)
})

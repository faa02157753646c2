import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Balancer, EndpointColumns } from '#algorithms/balance/balancer.ts'
import { createColumns, createPickInput } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import { mixInteger } from '#algorithms/hash.ts'
import { seededRandom } from '#algorithms/random.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const picks = 10_000
/** Compiled code allocates nothing; half a byte a pick leaves room for what the engine does aside. */
const bytesPerPick = 0.5

for (const [name, algorithm] of Object.entries(algorithms)) {
  test(`${name}: a pick allocates nothing`, () => {
    const columns = createColumns(
      Array.from({ length: 20 }, (_, i) => ({ weight: 1 + (i % 3), identity: mixInteger(i + 1) })),
    )
    const balancer = algorithm.create(columns, seededRandom(1), {})
    columns.latency.fill(20)
    // What is allocated is the least of some rounds: garbage of others does not repeat.
    let least = Infinity
    for (let round = 0; round < 40 && least > bytesPerPick; round++) {
      collectGarbage()
      const before = process.memoryUsage().heapUsed
      pickMany(balancer, columns)
      const bytes = (process.memoryUsage().heapUsed - before) / picks
      if (bytes >= 0) least = Math.min(least, bytes)
    }
    assert.ok(least <= bytesPerPick, `${least} bytes a pick`)
  })
}

function pickMany(balancer: Balancer, { inFlight }: EndpointColumns): void {
  const input = createPickInput()
  for (let turn = 0; turn < picks; turn++) {
    input.key = mixInteger(turn)
    input.now = 1000 + turn * 0.01
    const index = balancer.pick(input)
    inFlight[index] = ((inFlight[index] as number) + 1) & 7
  }
}

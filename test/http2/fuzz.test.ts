import assert from 'node:assert/strict'
import test from 'node:test'
import { NodeOracle, compareRequest, compareResponse } from './support/differential.ts'
import { runSeed } from './support/fuzz-cases.ts'
import { seededDraw } from './support/random-frames.ts'

// A slice of what test/fuzz/http2.ts does for as long as it is told.

test('fuzz cases of two hundred seeds', () => {
  for (let seed = 0; seed < 200; seed++) {
    assert.doesNotThrow(() => runSeed(seed), `seed ${seed}`)
  }
})

test('what we let pass, node:http2 reads in the same way', async () => {
  const oracle = new NodeOracle()
  await oracle.start()
  try {
    for (let seed = 1; seed <= 150; seed++) {
      await compareRequest(oracle, seededDraw(seed))
      await compareResponse(oracle, seededDraw(seed))
    }
  } finally {
    oracle.stop()
  }
})

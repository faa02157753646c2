import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { tuneEngine } from '#src/workers/engine.ts'

/** Makes 32 MiB of garbage and tells how much of it lay about at once. */
const program = `
  const { getHeapSpaceStatistics } = require('node:v8')
  const used = () =>
    getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_used_size
  let most = 0
  let last
  for (let i = 0; i < 32 * 1024; i++) {
    last = new Array(128).fill(i)
    if (i % 64 === 0) most = Math.max(most, used())
  }
  require('node:worker_threads').parentPort.postMessage(most)
`

async function garbageBytes(limits: { readonly maxYoungGenerationSizeMb?: number } = {}) {
  const thread = new Worker(program, { eval: true, resourceLimits: limits })
  return await new Promise<number>((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
}

test('threads that are started afterwards have room for new objects from the start', async () => {
  const before = await garbageBytes()
  tuneEngine()
  const after = await garbageBytes()
  assert.ok(before < 8 * 1024 * 1024, String(before))
  assert.ok(after > 12 * 1024 * 1024, String(after))
  // A limit of a thread's own counts.
  assert.ok((await garbageBytes({ maxYoungGenerationSizeMb: 6 })) < 8 * 1024 * 1024)
})

import { parseArgs } from 'node:util'
import { NodeOracle, compareRequest, compareResponse } from '#test/http2/support/differential.ts'
import { runSeed } from '#test/http2/support/fuzz-cases.ts'
import { seededDraw } from '#test/http2/support/random-frames.ts'

/**
 * Fuzzes the HTTP/2 codec: `node test/fuzz/http2.ts --seconds 60 --seed 1`. Random frames and changed
 * bytes at both roles, then the same messages to node:http2 and to us. A failure names the seed that
 * brings it back with `--seconds 0`.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
})
const until = performance.now() + Number(values.seconds) * 1000
const oracle = new NodeOracle()
await oracle.start()
let seed = Number(values.seed)
let runs = 0
try {
  do {
    runSeed(seed)
    await compareRequest(oracle, seededDraw(seed))
    await compareResponse(oracle, seededDraw(seed))
    seed++
    runs++
  } while (performance.now() < until)
  process.stdout.write(`${runs} runs, last seed ${seed - 1}, no fault\n`)
} catch (error) {
  process.stdout.write(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
} finally {
  oracle.stop()
}

/**
 * Fuzzes both roles of the HTTP/1.1 codec for a while: damaged requests through a whole proxy in
 * memory, damaged responses back, each cut in several ways that must come to the same; and all that
 * leaves is judged by a second, strict reading.
 *
 * `node test/fuzz/http1.ts --seconds 60 --seed 1`; a finding ends it with 1 and is printed with the
 * seed that brings it back.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import {
  damagedRequestsHaveOneReading,
  damagedResponsesHaveOneReading,
  validRequestsAreReadAsMeant,
} from '../http1/one-reading.ts'

interface Target {
  readonly name: string
  /** Runs the property until the time is over; returns the runs, or throws with a report. */
  readonly run: (limits: Limits) => number
}

interface Limits {
  readonly seed: number
  readonly numRuns: number
  readonly interruptAfterTimeLimit: number
}

function target<Inputs>(name: string, property: fc.IProperty<Inputs>): Target {
  return {
    name,
    run(limits) {
      const details = fc.check(property, limits)
      if (details.failed && !details.interrupted) {
        throw new Error(fc.defaultReportMessage(details))
      }
      return details.numRuns
    },
  }
}

const targets: readonly Target[] = [
  target('valid requests', validRequestsAreReadAsMeant),
  target('damaged requests', damagedRequestsHaveOneReading),
  target('damaged responses', damagedResponsesHaveOneReading),
]

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
  },
})
const seconds = Number(values.seconds)
const firstSeed = Number(values.seed)
if (!(seconds > 0) || !Number.isSafeInteger(firstSeed) || firstSeed < 0) {
  process.stderr.write('usage: node test/fuzz/http1.ts [--seconds N] [--seed N]\n')
  process.exit(2)
}

process.stdout.write(`fuzzing http1 for ${seconds} s from seed ${firstSeed}\n`)
const start = performance.now()
const counts = new Map<string, number>()
for (let round = 0; performance.now() - start < seconds * 1000; round++) {
  const left = seconds * 1000 - (performance.now() - start)
  // The seed of a round chooses the target too, so that it brings a finding back by itself.
  const seed = (firstSeed + round) % 0x7fff_ffff
  const { name, run } = targets[seed % targets.length] as Target
  try {
    const interruptAfterTimeLimit = Math.min(5000, left)
    const runs = run({ seed, numRuns: 100_000_000, interruptAfterTimeLimit })
    counts.set(name, (counts.get(name) ?? 0) + runs)
  } catch (error) {
    process.stderr.write(`${name}: found, again with --seed ${seed}\n${String(error)}\n`)
    process.exit(1)
  }
}
for (const [name, runs] of counts) process.stdout.write(`${name}: ${runs} inputs, no finding\n`)

// ns per pick and ms per rebuild of every balancing algorithm, for 3, 100 and 10,000 endpoints.
//
//   npm run bench:algorithms [NAME...]      exits 1 where a bar is missed
import { execFileSync } from 'node:child_process'
import { algorithmName, algorithms } from '#algorithms/balance/index.ts'
import type {
  Algorithm,
  Balancer,
  EndpointColumns,
  LoadReport,
} from '#algorithms/balance/balancer.ts'
import { createColumns, createPickInput } from '#algorithms/balance/columns.ts'
import { mixInteger } from '#algorithms/hash.ts'
import { seededRandom } from '#algorithms/random.ts'

const sizes = [3, 100, 10_000]
const rebuildSizes = [3, 100, 1000, 10_000]
/** A batch takes about as long as the scheduler leaves us alone. */
const batchNs = 300_000
const batchMin = 50
const batchMax = 10_000
const measureMs = 300
const rebuilds = 9
/** Requests in flight at a time, so that queues are neither empty nor endless. */
const held = 64

/** A pick of these looks at every endpoint, or searches. */
const notConstant = new Set([
  'smooth-weighted',
  'least-requests',
  'least-time',
  'ring-hash',
  'rendezvous-hash',
  'sticky-balanced',
  'multi-probe-hash',
  'jump-hash',
  'subset-hash',
])
const pickBarNs = 100
const pickBarSize = 100
const rebuildBarMs = 10
const rebuildBarSize = 1000

const options = { probesPerRequest: 0 }

/** A balancer at work: picks, and requests that begin and end as in a proxy. */
class Work {
  readonly #balancer: Balancer
  readonly #columns: EndpointColumns
  readonly #input = createPickInput()
  readonly #held = new Int32Array(held).fill(-1)
  #picks = 0

  constructor(algorithm: Algorithm, size: number) {
    this.#columns = columnsOf(size)
    this.#balancer = algorithm.create(this.#columns, seededRandom(1), options)
  }

  /** Nanoseconds a pick, over so many of them. */
  run(picks: number): number {
    const input = this.#input
    const balancer = this.#balancer
    const { inFlight, cell, updated } = this.#columns
    const last = this.#picks + picks
    if (balancer.report !== undefined) reportAll(balancer, this.#columns, this.#picks)
    const start = performance.now()
    for (let turn = this.#picks; turn < last; turn++) {
      input.key = mixInteger(turn)
      input.now = timeOf(turn)
      const index = balancer.pick(input)
      const place = turn & (held - 1)
      const done = this.#held[place] as number
      if (done >= 0) {
        const doneCell = cell[done] as number
        inFlight[doneCell] = (inFlight[doneCell] as number) - 1
        // An estimate is as old as the last answer.
        updated[doneCell] = input.now
      }
      inFlight[cell[index] as number] = (inFlight[cell[index] as number] as number) + 1
      this.#held[place] = index
    }
    const elapsedMs = performance.now() - start
    this.#picks = last
    return (elapsedMs * 1e6) / picks
  }
}

/** Requests come every hundredth of a millisecond. */
function timeOf(turn: number): number {
  return 1000 + turn * 0.01
}

function reportAll(balancer: Balancer, columns: EndpointColumns, picks: number): void {
  const now = timeOf(picks)
  for (let index = 0; index < Math.min(16, columns.count); index++) {
    const report: LoadReport = {
      // Some have so many that no other is hot, however often its report is used in a batch.
      inFlight: index % 4 === 3 ? 100_000 : index,
      latencyMs: 5 + index,
      utilization: 0.5,
      requestsPerSecond: 100 + index,
      errorsPerSecond: 0,
    }
    balancer.report?.(index, now, report)
  }
}

/** What the loop around the picks costs by itself. */
const idle: Algorithm = {
  summary: '',
  keyed: false,
  create: () => ({ pick: ({ key }) => key & 1, rebuild: () => undefined }),
}

function columnsOf(size: number): EndpointColumns {
  const columns = createColumns(
    Array.from({ length: size }, (_, i) => ({ identity: mixInteger(i + 1) })),
  )
  // Estimates as they are under traffic, or algorithms that read them would meet their rarest case.
  columns.latency.forEach((_, i) => (columns.latency[i] = 5 + (i % 20)))
  columns.updated.fill(900)
  return columns
}

/** The fastest of many short batches: what a pick costs when nobody else uses the core. */
function nsPerPick(algorithm: Algorithm, size: number): number {
  const work = new Work(algorithm, size)
  for (let warm = 0; warm < 40; warm++) work.run(batchMin)
  const roughNs = work.run(batchMin)
  const picks = Math.max(batchMin, Math.min(batchMax, Math.round(batchNs / roughNs)))
  let fastest = Infinity
  const end = performance.now() + measureMs
  while (performance.now() < end) fastest = Math.min(fastest, work.run(picks))
  return fastest
}

/** A change of the set with the first pick after it, as a table may be built only then. */
function msPerRebuild(algorithm: Algorithm, size: number): number {
  const columns = columnsOf(size)
  const balancer = algorithm.create(columns, seededRandom(1), options)
  const input = createPickInput()
  const samples = Array.from({ length: rebuilds }, (_, round) => {
    columns.identity[0] = mixInteger(1e6 + round)
    const start = performance.now()
    balancer.rebuild()
    balancer.pick(input)
    return performance.now() - start
  })
  return median(samples)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}

interface Measured {
  /** By size, without the loop around the picks. */
  readonly picksNs: readonly number[]
  readonly rebuildsMs: readonly number[]
}

function measure(algorithm: Algorithm): Measured {
  const idleNs = nsPerPick(idle, 100)
  const picksNs = sizes.map((size) => Math.max(0, nsPerPick(algorithm, size) - idleNs))
  return { picksNs, rebuildsMs: rebuildSizes.map((size) => msPerRebuild(algorithm, size)) }
}

/** In a process of its own, so that what one algorithm taught the compiler slows no other. */
function measureApart(name: string): Measured {
  const output = execFileSync(process.execPath, [import.meta.filename, '--one', name])
  return JSON.parse(output.toString()) as Measured
}

function missedBars(name: string, { picksNs, rebuildsMs }: Measured): string[] {
  const missed = sizes.flatMap((size, at) => {
    const ns = picksNs[at] as number
    if (size > pickBarSize || ns <= pickBarNs || notConstant.has(name)) return []
    return [`${name}: ${ns.toFixed(0)} ns a pick at n=${size}, bar ${pickBarNs}`]
  })
  const ms = rebuildsMs[rebuildSizes.indexOf(rebuildBarSize)] as number
  if (name !== 'consistent-hash' || ms <= rebuildBarMs) return missed
  return [...missed, `${name}: ${ms.toFixed(1)} ms a rebuild, bar ${rebuildBarMs}`]
}

function main(names: readonly string[]): number {
  const known = Object.keys(algorithms)
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    const list = known.join(', ')
    process.stderr.write(`unknown algorithm ${unknown.join(', ')}; known: ${list}\n`)
    return 2
  }
  const heads = [
    ...sizes.map((size) => `n=${size}, ns a pick`),
    ...rebuildSizes.map((size) => `n=${size}, ms a rebuild`),
  ]
  process.stdout.write(
    `| algorithm | ${heads.join(' | ')} |\n|---|${'---|'.repeat(heads.length)}\n`,
  )
  const missed: string[] = []
  for (const name of names.length > 0 ? names : known) {
    const measured = measureApart(name)
    const { picksNs, rebuildsMs } = measured
    const cells = [...picksNs.map((ns) => ns.toFixed(0)), ...rebuildsMs.map((ms) => ms.toFixed(2))]
    process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`)
    missed.push(...missedBars(name, measured))
  }
  for (const line of missed) process.stderr.write(`missed: ${line}\n`)
  return missed.length > 0 ? 1 : 0
}

const [flag = '', one = ''] = process.argv.slice(2)
if (flag === '--one') {
  const name = algorithmName(one)
  if (name !== undefined) process.stdout.write(JSON.stringify(measure(algorithms[name])))
} else {
  process.exitCode = main(process.argv.slice(2))
}

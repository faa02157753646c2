// ns per pick and ms per rebuild of every balancing algorithm, for 3, 100 and 10,000 endpoints.
//
//   npm run bench:algorithms [NAME...]      exits 1 where a bar is missed
import { algorithms } from '#algorithms/balance/index.ts'
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
const rounds = 9
const roundMs = 40
/** Requests in flight at a time, so that queues are neither empty nor endless. */
const held = 64

/** A pick of these looks at every endpoint, or searches. */
const notConstant = new Set([
  'smooth-weighted',
  'least-requests',
  'least-time',
  'ring-hash',
  'rendezvous-hash',
  'multi-probe-hash',
  'jump-hash',
  'subset-hash',
])
const pickBarNs = 100
const pickBarSize = 100
const rebuildBarMs = 10
const rebuildBarSize = 1000

/** Endpoints report so often (in picks), so that algorithms that wait for reports have some. */
const reportEvery = 512
const options = { probesPerRequest: 0 }

/** Picks, and moves requests on: what a proxy does to the columns around a pick. */
function pickMany(balancer: Balancer, columns: EndpointColumns, picks: number): number {
  const input = createPickInput()
  const { inFlight, cell } = columns
  const ring = new Int32Array(held).fill(-1)
  const start = performance.now()
  for (let i = 0; i < picks; i++) {
    if (i % reportEvery === 0 && balancer.report !== undefined) reportAll(balancer, columns, i)
    input.key = mixInteger(i)
    input.now = 1000 + i * 0.01
    const index = balancer.pick(input)
    const place = i % held
    const done = ring[place] as number
    if (done >= 0) inFlight[cell[done] as number] = (inFlight[cell[done] as number] as number) - 1
    inFlight[cell[index] as number] = (inFlight[cell[index] as number] as number) + 1
    ring[place] = index
  }
  const elapsedMs = performance.now() - start
  inFlight.fill(0)
  return (elapsedMs * 1e6) / picks
}

function reportAll(balancer: Balancer, columns: EndpointColumns, picks: number): void {
  const now = 1000 + picks * 0.01
  for (let index = 0; index < Math.min(16, columns.count); index++) {
    const report: LoadReport = {
      inFlight: index % 5,
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

function nsPerPick(algorithm: Algorithm, size: number): number {
  const columns = columnsOf(size)
  const balancer = algorithm.create(columns, seededRandom(1), options)
  pickMany(balancer, columns, 20_000)
  const roughNs = pickMany(balancer, columns, 5000)
  const picks = Math.max(200, Math.min(2_000_000, Math.round((roundMs * 1e6) / roughNs)))
  return median(Array.from({ length: rounds }, () => pickMany(balancer, columns, picks)))
}

const idleNs = nsPerPick(idle, 100)

/** A change of the set with the first pick after it, as a table may be built only then. */
function msPerRebuild(algorithm: Algorithm, size: number): number {
  const columns = columnsOf(size)
  const balancer = algorithm.create(columns, seededRandom(1), options)
  const input = createPickInput()
  const samples = Array.from({ length: rounds }, (_, round) => {
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

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(algorithms, name))
if (unknown.length > 0) {
  process.stderr.write(
    `unknown algorithm ${unknown.join(', ')}; known: ${Object.keys(algorithms).join(', ')}\n`,
  )
  process.exit(2)
}

const missed: string[] = []
print(
  '| algorithm | ns per pick, n=3 | n=100 | n=10,000 | ms per rebuild, n=3 | n=100 | n=1000 | n=10,000 |',
)
print('|---|---|---|---|---|---|---|---|')
for (const [name, algorithm] of Object.entries(algorithms)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const picks = sizes.map((size) => Math.max(0, nsPerPick(algorithm, size) - idleNs))
  const rebuilds = [3, 100, 1000, 10_000].map((size) => msPerRebuild(algorithm, size))
  for (const [at, size] of sizes.entries()) {
    const ns = picks[at] as number
    if (size <= pickBarSize && ns > pickBarNs && !notConstant.has(name)) {
      missed.push(`${name}: ${ns.toFixed(0)} ns per pick at n=${size}, bar ${pickBarNs}`)
    }
  }
  if (name === 'consistent-hash') {
    const ms = msPerRebuild(algorithm, rebuildBarSize)
    if (ms > rebuildBarMs) missed.push(`${name}: rebuild ${ms.toFixed(1)} ms, bar ${rebuildBarMs}`)
  }
  const cells = [...picks.map((ns) => ns.toFixed(0)), ...rebuilds.map((ms) => ms.toFixed(2))]
  print(`| ${name} | ${cells.join(' | ')} |`)
}
for (const line of missed) process.stderr.write(`missed: ${line}\n`)
process.exitCode = missed.length > 0 ? 1 : 0

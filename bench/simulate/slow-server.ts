import type { BalanceOptions } from '#algorithms/balance/balancer.ts'
import { createColumns, createPickInput } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import type { AlgorithmName } from '#algorithms/balance/index.ts'
import { seededRandom } from '#algorithms/random.ts'
import { normal } from './cluster.ts'
import { EventQueue } from './event-queue.ts'
import type { Plot, Row, Scenario } from './scenario.ts'
import { quantile } from './scenario.ts'

const servers = 11
const requestsPerSecond = 1000
const medianMs = 167
const spreadMs = 5
const slowMs = 2000
/** The slow server is slow in the middle half of the run. */
const durationMs = 60_000
const successMs = 1000

/** One run: latencies as clients see them, and how many were in time. */
export interface SlowServerRun {
  readonly successPercent: number
  /** In rising order. */
  readonly latencies: Float64Array
}

/**
 * Linkerd's scenario: eleven servers of the same speed whatever their load, one of which takes two
 * seconds for half of the time.
 */
export function runSlowServer(
  algorithm: AlgorithmName,
  options: BalanceOptions = {},
  seed = 1,
): SlowServerRun {
  const random = seededRandom(seed)
  const columns = createColumns(Array.from({ length: servers }, () => ({})))
  const balancer = algorithms[algorithm].create(columns, seededRandom(seed + 1), options)
  const input = createPickInput()
  const { inFlight } = columns
  const ends = new EventQueue()
  const latencies: number[] = []
  const total = (requestsPerSecond * durationMs) / 1000
  let inTime = 0
  for (let request = 0; request < total; request++) {
    const now = (request * 1000) / requestsPerSecond
    while (ends.nextTime <= now) {
      const at = ends.nextTime
      const event = ends.pop()
      const server = event % servers
      inFlight[server] = (inFlight[server] as number) - 1
      balancer.observe?.(server, at, latencies[Math.floor(event / servers)] as number, 'success')
    }
    input.now = now
    const server = balancer.pick(input)
    inFlight[server] = (inFlight[server] as number) + 1
    const isSlow = server === 0 && now >= durationMs / 4 && now < (durationMs * 3) / 4
    const latencyMs = isSlow ? slowMs : medianMs + spreadMs * normal(random)
    if (latencyMs <= successMs) inTime++
    latencies.push(latencyMs)
    ends.push(now + latencyMs, request * servers + server)
  }
  const sorted = Float64Array.from(latencies).toSorted()
  return { successPercent: (100 * inTime) / total, latencies: sorted }
}

const lines: readonly {
  readonly algorithm: AlgorithmName
  readonly published: string
  readonly passes?: readonly [number, number]
}[] = [
  { algorithm: 'round-robin', published: '95 (exactly 95.4545)', passes: [95.3545, 95.5545] },
  { algorithm: 'two-choices', published: '99', passes: [99.3, 100] },
  { algorithm: 'least-requests', published: '' },
  { algorithm: 'peak-ewma', published: '99.9', passes: [99.85, 100] },
  { algorithm: 'hot-cold', published: '' },
  { algorithm: 'least-time', published: '' },
]

export const slowServer: Scenario = {
  name: 'slow-server',
  title: "Linkerd's slow server: success within 1 s",
  about: `${servers} servers with a median of ${medianMs} ms, ${requestsPerSecond} requests a second
for a minute; one server takes 2 s for 30 s. Published: Linkerd, "Beyond round robin" (2016), of a
live test.`,
  run(_scale, progress) {
    const rows: Row[] = []
    const series: Plot['series'][number][] = []
    for (const { algorithm, published, passes } of lines) {
      progress(algorithm)
      const { successPercent, latencies } = runSlowServer(algorithm)
      const what = `${algorithm}, % in time`
      rows.push({ what, measured: successPercent, digits: 2, published, ...(passes && { passes }) })
      const p999 = quantile(latencies, 0.999)
      const tail = { what: `${algorithm}, p99.9 ms`, measured: p999, digits: 0, published: '' }
      rows.push(algorithm === 'peak-ewma' ? { ...tail, passes: [0, 200] } : tail)
      const parts = [0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.993, 0.996, 0.999, 0.9995]
      const points = parts.map((part) => [100 * part, quantile(latencies, part)] as const)
      series.push({ name: algorithm, points })
    }
    const plot: Plot = {
      file: 'slow-server',
      title: 'Latency with one slow server of eleven',
      xLabel: 'percentile',
      yLabel: 'ms',
      logY: true,
      series,
    }
    return { rows, plots: [plot] }
  },
}

import type { Balancer, EndpointColumns, LoadReport } from '#algorithms/balance/balancer.ts'
import { createColumns, createPickInput } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import type { AlgorithmName } from '#algorithms/balance/index.ts'
import { seededRandom } from '#algorithms/random.ts'
import { Cluster } from './cluster.ts'
import type { ClusterResult, Finish, Router } from './cluster.ts'
import type { Plot, Row, Scenario } from './scenario.ts'
import { quantile } from './scenario.ts'
import { TaggedLatency } from './tagged-latency.ts'

const servers = 100
const timeoutMs = 5000

/** One run of the cluster under one algorithm. */
export interface RampCase {
  readonly algorithm: AlgorithmName
  /** Balancers that do not share their counts. */
  readonly clients: number
  readonly load: number
  readonly durationMs: number
}

/** Servers of changing speed, as in Prequal's test bed, under one algorithm. */
export function runRamp({ algorithm, clients, load, durationMs }: RampCase): ClusterResult {
  const cluster = new Cluster({
    servers,
    clients,
    load,
    durationMs,
    timeoutMs,
    workMs: 40,
    contendedShare: 0.3,
    freeSpeed: 2.5,
    flipMs: 5000,
    random: seededRandom(5),
  })
  return cluster.run(new ClientRouter(cluster, algorithm))
}

/** The clients: each has columns and a balancer of its own, and sends probes if that wants some. */
class ClientRouter implements Router {
  readonly #cluster: Cluster
  readonly #columns: EndpointColumns[]
  readonly #balancers: Balancer[]
  readonly #input = createPickInput()
  /** What the servers would answer to probes. */
  readonly #told = Array.from({ length: servers }, () => new TaggedLatency())
  readonly #report: LoadReport = {
    inFlight: 0,
    latencyMs: 0,
    utilization: Number.NaN,
    requestsPerSecond: Number.NaN,
    errorsPerSecond: Number.NaN,
  }

  constructor(cluster: Cluster, algorithm: AlgorithmName) {
    const random = seededRandom(7)
    this.#cluster = cluster
    this.#columns = Array.from({ length: cluster.settings.clients }, () => {
      return createColumns(Array.from({ length: servers }, () => ({})))
    })
    this.#balancers = this.#columns.map((own) => algorithms[algorithm].create(own, random, {}))
  }

  pick(client: number, now: number): number {
    const balancer = this.#balancers[client] as Balancer
    const { inFlight } = this.#columns[client] as EndpointColumns
    this.#input.now = now
    const server = balancer.pick(this.#input)
    inFlight[server] = (inFlight[server] as number) + 1
    this.#probe(balancer, now)
    return server
  }

  finished({ client, server, now, latencyMs, timedOut, inFlightAtArrival }: Finish): void {
    const { inFlight } = this.#columns[client] as EndpointColumns
    inFlight[server] = (inFlight[server] as number) - 1
    this.#told[server]?.add(inFlightAtArrival, latencyMs, now)
    const outcome = timedOut ? 'failure' : 'success'
    this.#balancers[client]?.observe?.(server, now, latencyMs, outcome)
  }

  #probe(balancer: Balancer, now: number): void {
    if (balancer.nextProbe === undefined) return
    for (let server = balancer.nextProbe(now); server >= 0; server = balancer.nextProbe(now)) {
      const inFlight = this.#cluster.inFlight(server)
      this.#report.inFlight = inFlight
      this.#report.latencyMs = this.#told[server]?.estimate(inFlight, now) ?? 0
      balancer.report?.(server, now, this.#report)
    }
  }
}

const compared: readonly AlgorithmName[] = [
  'round-robin',
  'least-requests',
  'two-choices',
  'peak-ewma',
  'hot-cold',
  'prequal',
]

/** p99 in ms of an independent simulation, for comparison; the gates are ratios. */
const simulatedP99: Readonly<Record<string, readonly string[]>> = {
  '100 1.03': ['2163', '1432', '1384', '1357', '867', '389'],
  '100 1.41': ['timeout', '3422', '4035', '4699', '1539', '584'],
  '10 1.41': ['', '558', '811', '652', '312', '338'],
  '3 1.03': ['1726', '217', '283', '213', '165', '188'],
  '3 1.41': ['timeout', '246', '471', '363', '274', '289'],
}

export const loadRamp: Scenario = {
  name: 'load-ramp',
  title: "Prequal's load ramp: p99 latency",
  about: `${servers} servers that share their speed among their requests; 30 % of them have neighbours
and run at the speed they were allotted, the others at 2.5 times, and this changes every 5 s. Load is
a multiple of the allotment; a request fails after 5 s. Beside it: an independent simulation
after Wydrowski et al., NSDI 2024; in the paper, Prequal has no error at any step up to 1.74.`,
  run(scale, progress) {
    const rows: Row[] = []
    for (const [key, published] of Object.entries(simulatedP99)) {
      const [clients = 0, load = 0] = key.split(' ').map(Number)
      rows.push(...compareAt({ clients, load, published, scale, progress }))
    }
    return { rows, plots: [rampPlot(3, scale, progress), rampPlot(100, scale, progress)] }
  },
}

interface Comparison {
  readonly clients: number
  readonly load: number
  readonly published: readonly string[]
  readonly scale: number
  readonly progress: (step: string) => void
}

function compareAt({ clients, load, published, scale, progress }: Comparison): Row[] {
  const rows: Row[] = []
  const p99 = new Map<string, number>()
  let prequalErrors = 0
  for (const [at, algorithm] of compared.entries()) {
    progress(`${clients} balancers, load ${load}: ${algorithm}`)
    const { latencies, errors } = runRamp({ algorithm, clients, load, durationMs: 60_000 * scale })
    const measured = quantile(latencies, 0.99)
    p99.set(algorithm, measured)
    if (algorithm === 'prequal') prequalErrors = errors
    const what = `${clients} balancers, load ${load}: ${algorithm}, ms`
    rows.push({ what, measured, digits: 0, published: published[at] ?? '' })
  }
  const ratio = (algorithm: string): number =>
    (p99.get(algorithm) as number) / (p99.get('two-choices') as number)
  if (clients === 3 && load === 1.03) {
    rows.push({
      what: '3 balancers, load 1.03: hot-cold / two-choices',
      measured: ratio('hot-cold'),
      digits: 2,
      published: '0.58',
      passes: [0, 0.75],
    })
  }
  if (clients === 100 && load === 1.03) {
    rows.push({
      what: '100 balancers, load 1.03: prequal / two-choices',
      measured: ratio('prequal'),
      digits: 2,
      published: '0.27 to 0.31',
      passes: [0, 0.4],
    })
  }
  if (load === 1.41) {
    const what = `${clients} balancers, load 1.41: prequal, errors`
    rows.push({ what, measured: prequalErrors, digits: 0, published: '0', passes: [0, 0] })
  }
  return rows
}

/** The paper's steps. */
const steps = [0.75, 0.83, 0.93, 1.03, 1.14, 1.27, 1.41, 1.57, 1.74]

function rampPlot(clients: number, scale: number, progress: (step: string) => void): Plot {
  const shown = scale < 0.1 ? [0.75, 1.74] : steps
  const series = compared.map((algorithm) => {
    progress(`plot, ${clients} balancers: ${algorithm}`)
    const points = shown.map((load) => {
      const { latencies } = runRamp({ algorithm, clients, load, durationMs: 30_000 * scale })
      return [load, quantile(latencies, 0.99)] as const
    })
    return { name: algorithm, points }
  })
  return {
    file: `load-ramp-${clients}`,
    title: `p99 latency as load rises, ${clients} balancers`,
    xLabel: 'load, as a multiple of the allotment',
    yLabel: 'ms',
    logY: true,
    series,
  }
}

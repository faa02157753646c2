import { algorithms } from '#algorithms/balance/index.ts'
import type { AlgorithmName } from '#algorithms/balance/index.ts'
import type { BalanceOptions } from '#algorithms/balance/balancer.ts'
import { createColumns, createPickInput } from '#algorithms/balance/columns.ts'
import { seededRandom } from '#algorithms/random.ts'
import type { Row, Scenario, Series } from './scenario.ts'
import { within } from './scenario.ts'

const servers = 100

/** Mean time in the system by the limit of many servers: sum of load^((d^i - d) / (d - 1)). */
export function meanTimeInTheLimit(load: number, choices: number): number {
  if (choices === 1) return 1 / (1 - load)
  let sum = 0
  for (let i = 1; i < 60; i++) sum += load ** ((choices ** i - choices) / (choices - 1))
  return sum
}

/** What is served. */
interface Queues {
  readonly algorithm: AlgorithmName
  readonly options: BalanceOptions
  readonly servers: number
  readonly load: number
  readonly events: number
}

/**
 * Mean time in the system, in service times, of queues with random arrivals and service times:
 * the Markov chain itself, one arrival or departure a step; Little's law gives the time.
 */
export function meanTime({ algorithm, options, ...queues }: Queues): number {
  const random = seededRandom(11)
  const columns = createColumns(Array.from({ length: queues.servers }, () => ({})))
  const balancer = algorithms[algorithm].create(columns, seededRandom(12), options)
  const input = createPickInput()
  const { inFlight } = columns
  // The busy servers, and the place of each among them.
  const busy = new Int32Array(queues.servers)
  const placeOf = new Int32Array(queues.servers)
  let busyCount = 0
  const arrivals = queues.load * queues.servers
  let inSystem = 0
  let area = 0
  let time = 0
  for (let event = 0; event < queues.events; event++) {
    const rate = arrivals + busyCount
    if (event >= queues.events / 5) {
      area += inSystem / rate
      time += 1 / rate
    }
    if (random() * rate < arrivals) {
      input.now = event
      const server = balancer.pick(input)
      if (inFlight[server] === 0) {
        placeOf[server] = busyCount
        busy[busyCount++] = server
      }
      inFlight[server] = (inFlight[server] as number) + 1
      inSystem++
    } else {
      const place = Math.floor(random() * busyCount)
      const server = busy[place] as number
      inFlight[server] = (inFlight[server] as number) - 1
      inSystem--
      if (inFlight[server] > 0) continue
      const last = busy[--busyCount] as number
      busy[place] = last
      placeOf[last] = place
    }
  }
  return area / time / arrivals
}

/** Loads, published values and tolerances. */
const cases = [
  { load: 0.7, choices: 2, above: [0, 0.04] },
  { load: 0.9, choices: 2, above: [0, 0.04] },
  { load: 0.99, choices: 2, above: [0.06, 0.13] },
  { load: 0.9, choices: 3, above: [0, 0.05] },
] as const

export const supermarket: Scenario = {
  name: 'supermarket',
  title: 'The supermarket model: mean time in the system',
  about: `${servers} servers, random arrivals and service times, in service times. Published: the
limit of many servers (Mitzenmacher 2001). With 100 servers it is a little higher, by up to 4 % at
load 0.9 and 6 to 13 % at 0.99. Least requests: simulations.`,
  run(scale, progress) {
    const rows: Row[] = []
    for (const { load, choices, above } of cases) {
      progress(`two-choices, d=${choices}, load ${load}`)
      const events = eventsFor(load, scale)
      const options = { choices }
      const measured = meanTime({ algorithm: 'two-choices', options, servers, load, events })
      const limit = meanTimeInTheLimit(load, choices)
      rows.push({
        what: `${choices} choices, load ${load}`,
        measured,
        digits: 3,
        published: limit.toFixed(4),
        // Half a per cent for the noise of a run.
        passes: [limit * (1 + above[0] - 0.005), limit * (1 + above[1] + 0.005)],
      })
    }
    rows.push(...leastRows(scale, progress))
    progress('random, load 0.9')
    const events = eventsFor(0.9, scale)
    const alone = meanTime({ algorithm: 'random', options: {}, servers, load: 0.9, events })
    const published = '10'
    rows.push({
      what: 'random, load 0.9',
      measured: alone,
      digits: 2,
      published,
      passes: within(10, 0.06),
    })
    return { rows, plots: [plotOf(scale, progress)] }
  },
}

/**
 * At load 0.99 a first simulation gave 1.97, from a run too short for the memory of the queues there.
 * The chain of the numbers of servers by queue length, an independent program that gives the same
 * figure at load 0.9, has 2.158 in two runs of 300 million events.
 */
const leastCases = [
  { load: 0.9, published: '1.07', passes: [1.04, 1.1] },
  { load: 0.99, published: '2.158 (1.97 in a short run)', passes: [2.05, 2.27] },
] as const

function leastRows(scale: number, progress: (step: string) => void): Row[] {
  return leastCases.map(({ load, published, passes }) => {
    progress(`least-requests, load ${load}`)
    const events = eventsFor(load, scale) / 2
    const measured = meanTime({ algorithm: 'least-requests', options: {}, servers, load, events })
    return { what: `least requests, load ${load}`, measured, digits: 3, published, passes }
  })
}

function plotOf(scale: number, progress: (step: string) => void) {
  const loads = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95]
  const lines: [string, AlgorithmName, BalanceOptions][] = [
    ['random', 'random', {}],
    ['round robin', 'round-robin', {}],
    ['two choices', 'two-choices', {}],
    ['three choices', 'two-choices', { choices: 3 }],
    ['least requests', 'least-requests', {}],
  ]
  const series: Series[] = lines.map(([name, algorithm, options]) => {
    progress(`plot: ${name}`)
    const points = loads.map((load) => {
      const events = eventsFor(load, scale) / 6
      return [load, meanTime({ algorithm, options, servers, load, events })] as const
    })
    return { name, points }
  })
  return {
    file: 'supermarket',
    title: 'Mean time in the system, 100 servers',
    xLabel: 'load',
    yLabel: 'service times',
    logY: true,
    series,
  }
}

/** The nearer to saturation, the longer a queue remembers. */
function eventsFor(load: number, scale: number): number {
  return Math.round((load > 0.95 ? 40e6 : 12e6) * scale)
}

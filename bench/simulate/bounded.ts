import { BoundedHash } from '#algorithms/balance/keyed/bounded-hash.ts'
import { createColumns, createPickInput } from '#algorithms/balance/columns.ts'
import { hashPair, mixInteger } from '#algorithms/hash.ts'
import type { Placement } from '#algorithms/hash/placement.ts'
import { Ring } from '#algorithms/hash/ring.ts'
import type { Plot, Row, Scenario } from './scenario.ts'
import { within } from './scenario.ts'

const servers = 100
const keysPerServer = 10
const ringPoints = 100

/** A placement that remembers where a pick looked. */
class WatchedPlacement implements Placement {
  readonly seen = new Set<number>()
  readonly #inner: Placement

  constructor(inner: Placement) {
    this.#inner = inner
  }

  locate(hash: number): number {
    const node = this.#inner.locate(hash)
    this.seen.add(node)
    return node
  }

  rebuild(): void {
    this.#inner.rebuild()
  }
}

/** What became of keys that were put on servers under a bound. */
export interface BoundedRun {
  /** Mean number of distinct servers that a key looked at. */
  readonly probes: number
  /** Most requests of one server over the mean. */
  readonly peakToMean: number
  /** Whether any server ever held more than its bound. */
  readonly exceeded: boolean
}

/**
 * Puts ten keys a server on 100 servers, whose bound is that of the full load from the start: one
 * more endpoint, of next to no weight, holds what is still to come.
 */
export function runBounded(boundFactor: number, seed: number): BoundedRun {
  const endpoints = Array.from({ length: servers }, (_, i) => ({ identity: hashPair(seed, i) }))
  const columns = createColumns([...endpoints, { identity: hashPair(seed, servers), weight: 1e-9 }])
  const placement = new WatchedPlacement(new Ring(columns, ringPoints))
  const balancer = new BoundedHash(columns, placement, { boundFactor })
  const input = createPickInput()
  const { inFlight } = columns
  const total = servers * keysPerServer
  const bound = Math.ceil(boundFactor * keysPerServer)
  let probes = 0
  let exceeded = false
  for (let key = 0; key < total; key++) {
    inFlight[servers] = total - 1 - key
    input.key = mixInteger(key + seed * total + 1)
    // Later than the longest time between two counts of the load, so that the bound is exact.
    input.now = key * 10
    placement.seen.clear()
    const server = balancer.pick(input)
    placement.seen.add(server)
    probes += placement.seen.size
    const held = (inFlight[server] as number) + 1
    inFlight[server] = held
    if (held > bound) exceeded = true
  }
  const most = inFlight.subarray(0, servers).reduce((peak, own) => Math.max(peak, own), 0)
  return { probes: probes / total, peakToMean: most / keysPerServer, exceeded }
}

export const bounded: Scenario = {
  name: 'bounded-loads',
  title: 'Bounded loads: distinct servers that a key looks at',
  about: `${servers * keysPerServer} keys on ${servers} servers on a ring of ${ringPoints} points each.
Beside it: an independent simulation after Mirrokni, Thorup, Zadimoghaddam 2016.`,
  run(scale, progress) {
    const rows: Row[] = []
    const length = Math.max(2, Math.round(20 * scale))
    const points: [number, number][] = []
    const published = new Map([
      [1.1, 1.18],
      [1.25, 1.04],
      [1.5, 1.035],
    ])
    for (const factor of [1.05, 1.1, 1.25, 1.5, 2]) {
      progress(`bound ${factor}`)
      const runs = Array.from({ length }, (_, seed) => runBounded(factor, seed + 1))
      const measured = runs.reduce((sum, run) => sum + run.probes / runs.length, 0)
      points.push([factor, measured])
      const value = published.get(factor)
      if (value === undefined) continue
      const exceeded = runs.filter((run) => run.exceeded).length
      rows.push(
        {
          what: `c = ${factor}: servers a key`,
          measured,
          digits: 3,
          published: `${value}`,
          passes: within(value, 0.1),
        },
        {
          what: `c = ${factor}: runs above the bound`,
          measured: exceeded,
          digits: 0,
          published: '0',
          passes: [0, 0],
        },
      )
    }
    const plot: Plot = {
      file: 'bounded-loads',
      title: 'Distinct servers that a key looks at',
      xLabel: 'bound c, as a multiple of the mean load',
      yLabel: 'servers',
      logY: false,
      series: [{ name: 'ring, 100 points', points }],
    }
    return { rows, plots: [plot] }
  },
}

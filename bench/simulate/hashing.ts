import { hashPair, mixInteger } from '#algorithms/hash.ts'
import { jumpHash } from '#algorithms/hash/jump.ts'
import { Maglev, maglevSize } from '#algorithms/hash/maglev.ts'
import { MultiProbe } from '#algorithms/hash/multi-probe.ts'
import type { PlacedNodes, Placement } from '#algorithms/hash/placement.ts'
import { Rendezvous } from '#algorithms/hash/rendezvous.ts'
import { Ring } from '#algorithms/hash/ring.ts'
import { seededRandom } from '#algorithms/random.ts'
import type { Plot, Row, Scenario } from './scenario.ts'
import { within } from './scenario.ts'

/** Nodes of weight 1 with identities that differ from seed to seed. */
export function nodesOf(count: number, seed = 0): PlacedNodes & { weight: Float64Array } {
  return {
    count,
    weight: new Float64Array(count).fill(1),
    identity: Uint32Array.from({ length: count }, (_, i) => hashPair(seed, i)),
  }
}

/** Keys by node, for `keys` keys in turn. */
export function countKeys(placement: Placement, nodes: number, keys: number): Float64Array {
  const counts = new Float64Array(nodes)
  for (let key = 0; key < keys; key++) {
    const node = placement.locate(mixInteger(key + 1))
    counts[node] = (counts[node] as number) + 1
  }
  return counts
}

/** The greatest count over the mean. */
export function peakToMean(counts: Float64Array): number {
  const mean = counts.reduce((sum, own) => sum + own, 0) / counts.length
  return counts.reduce((most, own) => Math.max(most, own), 0) / mean
}

/** Standard deviation over the mean. */
export function relativeSpread(counts: Float64Array): number {
  const mean = counts.reduce((sum, own) => sum + own, 0) / counts.length
  const squares = counts.reduce((sum, own) => sum + (own - mean) ** 2, 0)
  return Math.sqrt(squares / counts.length) / mean
}

/** Slots of a Maglev table in per cent that change when `removed` of its nodes go. */
export function maglevDisruption(nodes: number, size: number, removed: number): number {
  const input = nodesOf(nodes, removed)
  const table = new Maglev(input, size)
  const before = slotsOf(table, size)
  const random = seededRandom(removed)
  for (let gone = 0; gone < removed;) {
    const node = Math.floor(random() * nodes)
    if (input.weight[node] === 0) continue
    input.weight[node] = 0
    gone++
  }
  table.rebuild()
  const after = slotsOf(table, size)
  let changed = 0
  for (let slot = 0; slot < size; slot++) if (before[slot] !== after[slot]) changed++
  return (100 * changed) / size
}

function slotsOf(table: Maglev, size: number): Int32Array {
  // The middle of a slot, as the hash is scaled to the slots.
  return Int32Array.from({ length: size }, (_, slot) =>
    table.locate(Math.floor(((slot + 0.5) / size) * 4_294_967_296)),
  )
}

/** Slots of a table of the usual size by node. */
export function slotsByNode(table: Maglev, nodes: number): Float64Array {
  const counts = new Float64Array(nodes)
  for (const node of slotsOf(table, maglevSize)) counts[node] = (counts[node] as number) + 1
  return counts
}

export const disruption: Scenario = {
  name: 'disruption',
  title: 'Maglev: share of slots that change when nodes go',
  about: `Of 1000 nodes, 1, 10, 50 and 100 go. Beside it: an independent simulation; the least
possible is 0.1, 1, 5 and 10 %.`,
  run(scale, progress) {
    const published: [number, number[]][] = [
      [65_537, [0.69, 3.36, 8.27, 13.53]],
      [655_373, [0.43, 1.58, 5.92, 11.06]],
    ]
    const rows: Row[] = []
    const series: Plot['series'][number][] = []
    for (const [size, values] of published.slice(0, scale < 1 ? 1 : 2)) {
      const points: [number, number][] = []
      for (const [at, removed] of [1, 10, 50, 100].entries()) {
        progress(`${size} slots, ${removed} nodes go`)
        const measured = maglevDisruption(1000, size, removed)
        const value = values[at] as number
        const what = `${size} slots, ${removed / 10} % go: % changed`
        rows.push({ what, measured, digits: 2, published: `${value}`, passes: within(value, 0.1) })
        points.push([removed / 10, measured])
      }
      series.push({ name: `${size} slots`, points })
    }
    const least = [0.1, 1, 5, 10].map((gone) => [gone, gone] as const)
    series.push({ name: 'least possible', points: least })
    const plot: Plot = {
      file: 'maglev-disruption',
      title: 'Maglev with 1000 nodes: slots that change',
      xLabel: 'nodes that go, %',
      yLabel: 'slots, %',
      logY: true,
      series,
    }
    return { rows, plots: [plot] }
  },
}

export const imbalance: Scenario = {
  name: 'imbalance',
  title: 'Hashing: how uneven are the shares',
  about: `100 nodes unless said, from 400,000 keys (the noise of so many keys is 1.6 %). Published: Lamping and Veach 2014, Appleton and O'Reilly 2015, Eisenbud et al. 2016.`,
  run(scale, progress) {
    const keys = 400_000 * Math.min(1, scale)
    const rows = [
      ...ringRows(scale, progress),
      ...probeRows(keys, progress),
      ...otherRows(keys, progress),
    ]
    return { rows, plots: [imbalancePlot(keys, seedsFor(scale), progress)] }
  },
}

/** Sets of nodes that a figure is the mean of. */
function seedsFor(scale: number): number {
  return Math.max(1, Math.round(8 * scale))
}

/** Shares of a ring are lengths of arcs: exact, without the noise of keys. */
export function ringShares(points: number, seeds: number): { spread: number; peak: number } {
  let spread = 0
  let peak = 0
  for (let seed = 0; seed < seeds; seed++) {
    const shares = arcs(new Ring(nodesOf(100, 1000 + seed), points))
    spread += relativeSpread(shares) / seeds
    peak += peakToMean(shares) / seeds
  }
  return { spread, peak }
}

/** Share of each node, from 2^19 places evenly spaced around the ring. */
function arcs(ring: Ring): Float64Array {
  const shares = new Float64Array(100)
  const places = 2 ** 19
  for (let place = 0; place < places; place++) {
    const node = ring.locate(place * (4_294_967_296 / places))
    shares[node] = (shares[node] as number) + 1
  }
  return shares
}

function ringRows(scale: number, progress: (step: string) => void): Row[] {
  const seeds = seedsFor(scale)
  const published = [
    [10, 32, 2],
    [16, 25, 1.78],
    [100, 10.5, 1.3],
    [160, 7.9, 1.2],
    [1000, 3.1, 1.075],
  ] as const
  return published.flatMap(([points, spread, peak]) => {
    progress(`ring, ${points} points a node`)
    const measured = ringShares(points, seeds)
    return [
      {
        what: `ring, ${points} points: standard deviation, %`,
        measured: 100 * measured.spread,
        digits: 1,
        published: `${spread}`,
        passes: within(spread, 0.15),
      },
      {
        what: `ring, ${points} points: peak to mean`,
        measured: measured.peak,
        digits: 2,
        published: `${peak}`,
        passes: within(peak, 0.15),
      },
    ]
  })
}

function probeRows(keys: number, progress: (step: string) => void): Row[] {
  return (
    [
      [5, 1.35, ''],
      [21, 1.1, '1.05 (1.083 at so many keys)'],
    ] as const
  ).map(([probes, most, published]) => {
    progress(`multi-probe, ${probes} probes`)
    const placement = new MultiProbe(nodesOf(100), probes)
    const measured = peakToMean(countKeys(placement, 100, keys))
    const what = `multi-probe, ${probes} probes: peak to mean`
    return { what, measured, digits: 3, published, passes: [1, most] }
  })
}

function otherRows(keys: number, progress: (step: string) => void): Row[] {
  progress('rendezvous, 1000 nodes, 65,537 keys')
  const bids = countKeys(new Rendezvous(nodesOf(1000)), 1000, 65_537)
  progress('maglev, 1000 nodes')
  const slots = slotsByNode(new Maglev(nodesOf(1000)), 1000)
  progress('jump')
  let moved = 0
  for (let key = 0; key < keys; key++) {
    const high = mixInteger(key)
    if (jumpHash(high, key, 100) !== jumpHash(high, key, 101)) moved++
  }
  return [
    {
      what: 'rendezvous, 1000 nodes, 65,537 keys: above the mean, %',
      measured: 100 * (peakToMean(bids) - 1),
      digits: 1,
      published: '49.5 (a single draw; 41.9 to 45.0 simulated)',
      passes: [38, 52],
    },
    {
      what: 'maglev, 1000 nodes: slots, peak to mean',
      measured: peakToMean(slots),
      digits: 3,
      published: '1.01 at most',
      passes: [1, 1.01],
    },
    {
      what: 'jump, 100 to 101 buckets: % moved',
      measured: (100 * moved) / keys,
      digits: 3,
      published: '0.99',
      passes: [0.94, 1.04],
    },
  ]
}

function imbalancePlot(keys: number, seeds: number, progress: (step: string) => void): Plot {
  const sizes = [3, 10, 30, 100, 300]
  const kinds: [string, (nodes: PlacedNodes) => Placement][] = [
    ['ring, 160 points', (nodes) => new Ring(nodes)],
    ['multi-probe', (nodes) => new MultiProbe(nodes)],
    ['rendezvous', (nodes) => new Rendezvous(nodes)],
    ['maglev', (nodes) => new Maglev(nodes)],
  ]
  const series = kinds.map(([name, create]) => {
    progress(`plot: ${name}`)
    const points = sizes.map((size) => {
      let sum = 0
      for (let seed = 0; seed < seeds; seed++) {
        sum += peakToMean(countKeys(create(nodesOf(size, seed)), size, keys / 8))
      }
      return [size, sum / seeds] as const
    })
    return { name, points }
  })
  return {
    file: 'hash-imbalance',
    title: `Keys of the busiest node over the mean, of ${Math.round(keys / 8000)} thousand keys`,
    xLabel: 'nodes',
    yLabel: 'peak to mean',
    logX: true,
    logY: false,
    series,
  }
}

import type { Algorithm } from './balancer.ts'
import { consistentHash, jumpHash, multiProbeHash } from './keyed/consistent-hash.ts'
import { rendezvousHash, ringHash } from './keyed/consistent-hash.ts'
import { sticky } from './keyed/sticky.ts'
import { stickyBalanced } from './keyed/sticky-balanced.ts'
import { subsetHash } from './keyed/subset-hash.ts'
import { hotCold } from './load/hot-cold.ts'
import { leastRequests } from './load/least-requests.ts'
import { leastTime } from './load/least-time.ts'
import { peakEwma } from './load/peak-ewma.ts'
import { prequal } from './load/prequal.ts'
import { reportedWeights } from './load/reported-weights.ts'
import { twoChoices } from './load/two-choices.ts'
import { withEvenSlowStart, withSlowStart } from './slow-start.ts'
import { random } from './turns/random.ts'
import { roundRobin } from './turns/round-robin.ts'
import { smoothWeighted } from './turns/smooth-weighted.ts'
import { weighted } from './turns/weighted.ts'

/**
 * The balancing algorithms by the names that users write. Validation, reference pages, contract
 * tests and benchmarks iterate over this list; nothing else spells these names.
 *
 * Slow start is for algorithms that spread requests by weight; hashing keeps keys in their places.
 */
export const algorithms = {
  'round-robin': withEvenSlowStart(roundRobin, weighted),
  weighted: withSlowStart(weighted),
  'smooth-weighted': withSlowStart(smoothWeighted),
  random: withSlowStart(random),
  'least-requests': withSlowStart(leastRequests),
  'two-choices': withSlowStart(twoChoices),
  'peak-ewma': withSlowStart(peakEwma),
  'least-time': withSlowStart(leastTime),
  'hot-cold': withSlowStart(hotCold),
  prequal,
  'reported-weights': withSlowStart(reportedWeights),
  'consistent-hash': consistentHash,
  'ring-hash': ringHash,
  'rendezvous-hash': rendezvousHash,
  'multi-probe-hash': multiProbeHash,
  'jump-hash': jumpHash,
  'subset-hash': subsetHash,
  sticky,
  'sticky-balanced': stickyBalanced,
} as const satisfies Record<string, Algorithm>

export type AlgorithmName = keyof typeof algorithms

/** Names that other products use for the same thing, for those who come from there. */
export const aliases: Readonly<Record<string, AlgorithmName>> = {
  // ingress-nginx load-balance, also of its older releases
  round_robin: 'round-robin',
  ewma: 'peak-ewma',
  least_conn: 'least-requests',
  chash: 'consistent-hash',
  chashsubset: 'subset-hash',
  // nginx
  least_time: 'least-time',
  hash: 'consistent-hash',
  // HAProxy balance
  roundrobin: 'round-robin',
  'static-rr': 'weighted',
  leastconn: 'least-requests',
  // Envoy lb_policy and Envoy Gateway loadBalancer.type
  ROUND_ROBIN: 'round-robin',
  LEAST_REQUEST: 'two-choices',
  RING_HASH: 'ring-hash',
  MAGLEV: 'consistent-hash',
  RANDOM: 'random',
  RoundRobin: 'round-robin',
  LeastRequest: 'two-choices',
  Random: 'random',
  ConsistentHash: 'consistent-hash',
  BackendUtilization: 'reported-weights',
  // Traefik strategy and Linkerd
  wrr: 'weighted',
  p2c: 'two-choices',
  hrw: 'rendezvous-hash',
  leasttime: 'least-time',
  peak_ewma: 'peak-ewma',
}

/** The algorithm of a name or alias as users write it, or undefined. */
export function algorithmName(text: string): AlgorithmName | undefined {
  if (Object.hasOwn(algorithms, text)) return text as AlgorithmName
  return Object.hasOwn(aliases, text) ? aliases[text] : undefined
}

/** What the algorithm of this name knows sessions by; undefined: it knows none. */
export function sessionsOf(name: string): Algorithm['sessions'] {
  const algorithm: Algorithm = algorithms[name as AlgorithmName]
  return algorithm.sessions
}

import { Jump } from '#algorithms/hash/jump.ts'
import { Maglev } from '#algorithms/hash/maglev.ts'
import { MultiProbe } from '#algorithms/hash/multi-probe.ts'
import type { PlacedNodes, Placement } from '#algorithms/hash/placement.ts'
import { Rendezvous } from '#algorithms/hash/rendezvous.ts'
import { Ring } from '#algorithms/hash/ring.ts'
import type { Algorithm } from '../balancer.ts'
import { BoundedHash } from './bounded-hash.ts'

/**
 * Consistent hashing for caches and sessions: the same key meets the same endpoint, and a hot key
 * cannot drown one ({@link BoundedHash}). The algorithms differ in where they place keys; each
 * placement says when to use it, its cost and its source.
 */
export const consistentHash = hashing(
  'By the hash of a key (Maglev), with no endpoint far above the mean load.',
  (nodes) => new Maglev(nodes),
)

export const ringHash = hashing(
  'By the hash of a key (ketama ring), with no endpoint far above the mean load.',
  (nodes) => new Ring(nodes),
)

export const rendezvousHash = hashing(
  'By the hash of a key (rendezvous): moves the fewest keys; for up to some dozens of endpoints.',
  (nodes) => new Rendezvous(nodes),
)

export const multiProbeHash = hashing(
  'By the hash of a key (multi-probe): an even ring in little memory.',
  (nodes) => new MultiProbe(nodes),
)

export const jumpHash = hashing(
  'By the hash of a key (jump): for numbered shards that come and go at the end of the list.',
  (nodes) => new Jump(nodes),
)

function hashing(summary: string, place: (nodes: PlacedNodes) => Placement): Algorithm {
  return {
    summary,
    keyed: true,
    create: (columns, _random, options) => new BoundedHash(columns, place(columns), options),
  }
}

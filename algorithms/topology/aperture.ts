/** Where a balancer stands among its peers, and how many endpoints it wants at least. */
export interface ApertureInput {
  /** 0 to peers - 1: contiguous numbers of the balancers. */
  readonly peer: number
  readonly peers: number
  readonly endpoints: number
  /** Finagle's default is 12. */
  readonly endpointsMin?: number
}

const defaultEndpointsMin = 12
/** Quotients this close to a whole number are that number. */
const tolerance = 1e-9

/**
 * Width of the aperture as a share of the ring: at least `endpointsMin` endpoints, rounded up to a
 * whole number of balancers' shares, at most 1.
 */
export function apertureWidth({ peers, endpoints, ...input }: ApertureInput): number {
  const { endpointsMin = defaultEndpointsMin } = input
  const wanted = Math.min(endpointsMin, endpoints) / endpoints
  return Math.min(1, Math.ceil(wanted * peers - tolerance) / peers)
}

/**
 * Deterministic aperture: weights 0 to 1 by endpoint. Balancers and endpoints share a ring, each
 * endpoint an equal slice; a balancer talks to the slices in its aperture, to those at the edge with
 * the part that is inside.
 *
 * When to use: as deterministic subsets, without the leftovers: every endpoint gets exactly the same
 * from all balancers together, whatever the numbers. Give the weights to `two-choices`, which draws
 * in proportion to them.
 * Cost: O(endpoints), when the sets change.
 * Source: Finagle DeterministicAperture (Ring, Coordinate).
 */
export function apertureWeights(input: ApertureInput): Float64Array {
  const { peer, peers, endpoints } = input
  const weights = new Float64Array(endpoints)
  if (endpoints === 0) return weights
  const width = apertureWidth(input)
  if (width >= 1) return weights.fill(1)
  const start = (peer / peers) * endpoints
  const end = start + width * endpoints
  for (let slice = Math.floor(start); slice < end; slice++) {
    const inside = Math.min(end, slice + 1) - Math.max(start, slice)
    const index = slice % endpoints
    // An aperture that nearly closes the ring meets the slice where it began once more.
    if (inside > tolerance) weights[index] = (weights[index] as number) + inside
  }
  return weights
}

/** Where an endpoint's requests should come from, as its EndpointSlice says. */
export interface HintedEndpoint {
  readonly ready: boolean
  /** hints.forZones; empty: no hint. */
  readonly zoneHints: readonly string[]
  /** hints.forNodes; empty: no hint. */
  readonly nodeHints: readonly string[]
}

/** Where this replica runs; '' when unknown. */
export interface Place {
  readonly zone: string
  readonly node: string
}

/**
 * The endpoints that topology hints keep for a place: 1 by index, 0 for the others.
 *
 * When to use: Services with trafficDistribution PreferSameZone (PreferClose) or PreferSameNode, for
 * which Kubernetes writes the hints.
 * Cost: O(endpoints x hints), when the set changes.
 * Source: KEP-2433, KEP-3015, KEP-4444 as kube-proxy reads them. Node hints count where every ready
 * endpoint has one and one names our node; else zone hints, likewise; else all endpoints. A hint
 * never leaves us without a ready endpoint.
 */
export function hintedEndpoints(endpoints: readonly HintedEndpoint[], place: Place): Uint8Array {
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  const byNode = (endpoint: HintedEndpoint): readonly string[] => endpoint.nodeHints
  const byZone = (endpoint: HintedEndpoint): readonly string[] => endpoint.zoneHints
  if (hintsCount(ready, byNode, place.node)) return named(endpoints, byNode, place.node)
  if (hintsCount(ready, byZone, place.zone)) return named(endpoints, byZone, place.zone)
  return new Uint8Array(endpoints.length).fill(1)
}

type Hints = (endpoint: HintedEndpoint) => readonly string[]

function hintsCount(ready: readonly HintedEndpoint[], hints: Hints, here: string): boolean {
  if (here === '') return false
  return (
    ready.every((endpoint) => hints(endpoint).length > 0) &&
    ready.some((endpoint) => hints(endpoint).includes(here))
  )
}

function named(endpoints: readonly HintedEndpoint[], hints: Hints, here: string): Uint8Array {
  return Uint8Array.from(endpoints, (endpoint) => (hints(endpoint).includes(here) ? 1 : 0))
}

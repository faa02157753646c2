import type { SliceEndpoint } from '#src/snapshot/objects.ts'
import type { Endpoint } from '#src/table/table.ts'
import type { CompileSettings } from '../settings.ts'

/** An endpoint with what is needed to choose among doubles. */
export interface Candidate {
  readonly endpoint: Endpoint
  readonly family: 'IPv4' | 'IPv6'
  readonly source: SliceEndpoint
}

/**
 * Topology hints, as kube-proxy reads them: if every ready endpoint has hints, and one is meant for
 * our node (else our zone), only those meant for it are used. Anything else and hints are ignored.
 * Endpoints that are leaving stay, for what they have and as a fallback.
 */
export function withHints(
  candidates: readonly Candidate[],
  { node, zone }: Pick<CompileSettings, 'node' | 'zone'>,
): readonly Candidate[] {
  return (
    meantFor(candidates, node, ({ source }) => source.nodeHints) ??
    meantFor(candidates, zone, ({ source }) => source.zoneHints) ??
    candidates
  )
}

function meantFor(
  candidates: readonly Candidate[],
  place: string,
  hintsOf: (candidate: Candidate) => readonly string[],
): readonly Candidate[] | undefined {
  if (place === '') return undefined
  const ready = candidates.filter(({ endpoint }) => endpoint.state === 'ready')
  if (ready.some((candidate) => hintsOf(candidate).length === 0)) return undefined
  if (!ready.some((candidate) => hintsOf(candidate).includes(place))) return undefined
  return candidates.filter(
    (candidate) => candidate.endpoint.state !== 'ready' || hintsOf(candidate).includes(place),
  )
}

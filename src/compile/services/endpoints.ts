import { collectAnnotations } from '#src/annotations/annotated.ts'
import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import { annotationCodes, complete, quote, readGiven } from '#src/annotations/schema.ts'
import type { EndpointSlice, SliceEndpoint } from '#src/snapshot/objects.ts'
import type { Endpoint } from '#src/table/table.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import { reportOn } from '../findings.ts'
import { compareText } from '../order.ts'
import type { CompileSettings } from '../settings.ts'
import { endpointAnnotations } from '../values/endpoint-weight.ts'
import { annotationSchema } from '../values/schema.ts'
import { addressProblem } from './addresses.ts'
import { withHints } from './topology.ts'
import type { Candidate } from './topology.ts'

/** Endpoints of one Service port. */
export interface EndpointReading {
  readonly endpoints: readonly Endpoint[]
  /** Some slice has endpoints, and none of those has the port. */
  readonly portMissing: boolean
}

/**
 * Joins the slices of a Service for the port of this name. Ports never mix across slices; an address
 * and port that stand in several slices count once, in their best state; a pod that is there in both
 * families is used in the Service's first one.
 */
export function readEndpoints(
  slices: readonly EndpointSlice[],
  port: { readonly name: string; readonly family: 'IPv4' | 'IPv6' },
  settings: CompileSettings,
  diagnostics: Diagnostics,
): EndpointReading {
  const candidates = new Map<Key, Candidate>()
  let filled = 0
  let matched = 0
  const inOrder = slices.toSorted((a, b) => compareText(a.metadata.name, b.metadata.name))
  for (const slice of inOrder) {
    if (slice.endpoints.length === 0) continue
    const found = slice.ports.find(
      ({ name, port: number, protocol }) =>
        // A port without number is not for Services.
        name === port.name && number > 0 && (protocol === 'TCP' || protocol === ''),
    )
    if (slice.ports.length > 0) filled++
    if (found === undefined) continue
    matched++
    for (const candidate of readSlice(slice, found.port, settings, diagnostics)) {
      const { address, port: number } = candidate.endpoint
      const key = tupleKey(address, number)
      const other = candidates.get(key)
      if (other === undefined || isBetter(candidate, other)) candidates.set(key, candidate)
    }
  }
  const chosen = withHints(oneFamilyPerPod([...candidates.values()], port.family), settings)
  return {
    endpoints: chosen.map(({ endpoint }) => endpoint).toSorted(byAddress),
    portMissing: filled > 0 && matched === 0,
  }
}

function readSlice(
  slice: EndpointSlice,
  port: number,
  settings: CompileSettings,
  diagnostics: Diagnostics,
): Candidate[] {
  const report = reportOn(slice, diagnostics)
  const { addressType } = slice
  if (addressType === 'FQDN') {
    report('endpoint-invalid', 'addressType', 'FQDN has no defined meaning; IPv4 and IPv6 are used')
    return []
  }
  const weight = readWeight(slice, settings, diagnostics)
  const candidates: Candidate[] = []
  for (const [i, source] of slice.endpoints.entries()) {
    const state = stateOf(source)
    if (state === undefined) continue
    const { address, targetUid, zone, nodeName } = source
    const problem = addressProblem(address, addressType, settings.source === 'files')
    if (problem !== undefined) {
      const field = `endpoints[${i}].addresses[0]`
      report('endpoint-invalid', field, `${quote(address)} ${problem}`)
      continue
    }
    const endpoint = { address, port, uid: targetUid, state, weight, zone, node: nodeName }
    candidates.push({ endpoint, family: addressType, source })
  }
  return candidates
}

/** New requests go to what is ready; what is leaving but still serves is a fallback. */
function stateOf({ ready, serving, terminating }: SliceEndpoint): Endpoint['state'] | undefined {
  if (ready) return 'ready'
  return serving && terminating ? 'draining' : undefined
}

/** What a slice says about all of its endpoints. */
export function readWeight(
  slice: EndpointSlice,
  settings: CompileSettings,
  diagnostics: Diagnostics,
): number {
  const report = reportOn(slice, diagnostics)
  const { texts } = collectAnnotations(slice.metadata.annotations, 'EndpointSlice', {
    schema: annotationSchema,
    prefix: settings.annotationsPrefix,
    report,
  })
  const given = readGiven(endpointAnnotations, texts, { codes: annotationCodes, report })
  return complete(endpointAnnotations, given).weight
}

function isBetter({ endpoint }: Candidate, { endpoint: other }: Candidate): boolean {
  return endpoint.state === 'ready' && other.state !== 'ready'
}

/** A pod in two families is one endpoint, not two. */
function oneFamilyPerPod(
  candidates: readonly Candidate[],
  family: 'IPv4' | 'IPv6',
): readonly Candidate[] {
  const preferred = new Set<string>()
  let mixed = false
  for (const { endpoint, family: own } of candidates) {
    if (own !== family) mixed = true
    else if (endpoint.uid !== '') preferred.add(endpoint.uid)
  }
  if (!mixed) return candidates
  return candidates.filter(
    ({ endpoint, family: own }) => own === family || !preferred.has(endpoint.uid),
  )
}

function byAddress(a: Endpoint, b: Endpoint): number {
  return compareText(a.address, b.address) || a.port - b.port
}

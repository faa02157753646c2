import { isIP } from 'node:net'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { isDnsName } from '#src/annotations/names.ts'
import { collectAnnotations } from '#src/annotations/annotated.ts'
import { annotationCodes, quote, readGiven } from '#src/annotations/schema.ts'
import type { Service } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { localCluster, tupleKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import type { Backend, Endpoint, HealthCheck } from '#src/table/table.ts'
import { originOf, reportOn } from '../findings.ts'
import type { CompileSettings } from '../settings.ts'
import { healthAnnotations, healthCheckOf } from '../values/health-check.ts'
import { annotationSchema } from '../values/schema.ts'
import { addressProblem } from './addresses.ts'
import { readEndpoints } from './endpoints.ts'
import type { ResolvedPort } from './ports.ts'

/** A Service port that some rule sends requests to. */
export interface Target {
  readonly key: Key
  readonly service: Service
  readonly port: ResolvedPort
  /** The Service's own address is asked, not its endpoints. */
  readonly viaService: boolean
}

/** A backend with what was found while it was made. */
export interface CompiledBackend {
  readonly backend: Backend
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * The target for a port of a Service. Two names of one port are one target. `byAddress`: its cluster
 * address is asked, if it has one.
 */
export function targetOf(service: Service, port: ResolvedPort, byAddress = false): Target {
  const { namespace, name } = service.metadata
  const viaService = byAddress && clusterAddress(service) !== ''
  const kind = viaService ? 'service-address' : 'service'
  const key = tupleKey(kind, localCluster, namespace, name, port.port)
  return { key, service, port, viaService }
}

/** The address that stands for all endpoints of a Service, '' for none. */
function clusterAddress({ type, clusterIps }: Service): string {
  const [address = ''] = clusterIps
  return type === 'ExternalName' || isIP(address) === 0 ? '' : address
}

/** The name that an ExternalName Service stands for, as the resolver knows it; '' for none to resolve. */
export function externalHost({ type, externalName }: Service): string {
  if (type !== 'ExternalName') return ''
  const name = externalName.toLowerCase().replace(/\.$/, '')
  return isDnsName(name) ? name : ''
}

/** Makes the backend of a target out of the Service's slices, or of the addresses of its name. */
export function compileBackend(
  { key, service, port, viaService }: Target,
  snapshot: Snapshot,
  settings: CompileSettings,
): CompiledBackend {
  const diagnostics = new Diagnostics()
  const { namespace, name } = service.metadata
  let endpoints: readonly Endpoint[]
  if (service.type === 'ExternalName') {
    endpoints = externalEndpoints(service, port, { snapshot, settings, diagnostics })
  } else if (viaService) {
    endpoints = [externalEndpoint(clusterAddress(service), port.port)]
  } else {
    const family = service.clusterIps[0]?.includes(':') === true ? 'IPv6' : 'IPv4'
    const slices = snapshot.slicesOf(namespace, name)
    const wanted = { name: port.name, family } as const
    const reading = readEndpoints(slices, wanted, settings, diagnostics)
    endpoints = reading.endpoints
    if (reading.portMissing) {
      const shown = port.name === '' ? 'without name' : JSON.stringify(port.name)
      const message = `port ${port.port} is ${shown}; no EndpointSlice with endpoints has such a TCP port`
      reportOn(service, diagnostics)('endpoint-invalid', 'spec.ports', message)
    }
  }
  const affinity = service.sessionAffinity === 'ClientIP' ? service.sessionAffinitySeconds : 0
  const healthCheck = readHealthCheck(service, settings)
  const backend: Backend = {
    key,
    service: originOf(service),
    servicePort: port.port,
    endpoints,
    clientIpAffinitySeconds: affinity,
    ...(healthCheck !== undefined && { healthCheck }),
  }
  return { backend, diagnostics: diagnostics.list }
}

function ignore(): void {}

/** The health check of a Service; values that are not valid are reported where its annotations are judged. */
function readHealthCheck(
  { metadata }: Service,
  { annotationsPrefix: prefix }: CompileSettings,
): HealthCheck | undefined {
  const report = ignore
  const reading = { schema: annotationSchema, prefix, report }
  const { texts } = collectAnnotations(metadata.annotations, 'Service', reading)
  return healthCheckOf(readGiven(healthAnnotations, texts, { codes: annotationCodes, report }))
}

function externalEndpoints(
  service: Service,
  { externalPort }: ResolvedPort,
  context: {
    readonly snapshot: Snapshot
    readonly settings: CompileSettings
    readonly diagnostics: Diagnostics
  },
): Endpoint[] {
  const report = reportOn(service, context.diagnostics)
  const field = 'spec.externalName'
  const written = quote(service.externalName)
  const literal = isIP(service.externalName) > 0
  const host = externalHost(service)
  const addresses = literal ? [service.externalName] : context.snapshot.resolved(host)
  if (host === '' && !literal) {
    report('name-unresolved', field, `must be a DNS name or an address, got ${written}`)
    return []
  }
  if (addresses === undefined || addresses.length === 0) {
    report('name-unresolved', field, `${written} has no known address`)
    return []
  }
  const endpoints: Endpoint[] = []
  for (const address of addresses) {
    const problem = addressProblem(address, 'any', context.settings.source === 'files')
    if (problem === undefined) endpoints.push(externalEndpoint(address, externalPort))
    else report('endpoint-invalid', field, `${quote(address)} ${problem}`)
  }
  return endpoints
}

function externalEndpoint(address: string, port: number): Endpoint {
  return { address, port, uid: '', state: 'ready', weight: 1, zone: '', node: '' }
}

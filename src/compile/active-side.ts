import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { EndpointSlice, Service } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { reportOn } from './findings.ts'
import type { ParsedIngress, ParsedRoute } from './ingress.ts'
import { resolvePort } from './services/ports.ts'

/** Key of the annotation by which an Ingress or a Service names the side in force. */
const key = 'active-service'

/** A route, its own Service as far as there is one, and what that Service says about the active side. */
export interface Sides {
  readonly parsed: ParsedIngress
  readonly route: ParsedRoute
  readonly own: Service | undefined
  /** `active-service` of the Service, '' for none. */
  readonly ownSays: string
}

/** What decides between sides. `sides` notes the endpoints that did. */
export interface SideContext {
  readonly snapshot: Snapshot
  readonly diagnostics: Diagnostics
  readonly sides: Map<Service, readonly EndpointSlice[]>
}

/**
 * The Service that a route's requests go to: its own, or in a blue/green set-up the one that
 * `active-service` names, on the Ingress or else on the Service. A side that cannot take the requests
 * does not get them: without the port, or without a ready endpoint while the route's own Service has
 * one, the switch is not made, and that is told.
 */
export function activeSide(
  { parsed, route, own, ownSays }: Sides,
  context: SideContext,
): Service | undefined {
  const { snapshot, diagnostics } = context
  const name = parsed.routing[key] || ownSays
  const { backend } = route
  if (name === '' || !('service' in backend) || name === own?.metadata.name) return own
  const { namespace } = parsed.ingress.metadata
  const active = snapshot.get('Service', namespace, name)
  const problem = problemOf(active, own, { context, port: backend.service.port })
  if (problem === '') return active
  const carrier = parsed.routing[key] === '' && own !== undefined ? own : parsed.ingress
  const field = parsed.routing[key] === '' ? undefined : parsed.texts.get(key)?.key
  const message = `Service ${namespace}/${name} ${problem}, so ${namespace}/${backend.service.name} stays in force`
  reportOn(carrier, diagnostics)('active-service-unused', field ?? `headgate.dev/${key}`, message)
  return own
}

function problemOf(
  active: Service | undefined,
  own: Service | undefined,
  { context, port }: { readonly context: SideContext; readonly port: string | number },
): string {
  if (active === undefined) return 'does not exist'
  if (resolvePort(active, port) === undefined) return `has no TCP port ${JSON.stringify(port)}`
  if (isReady(active, context) || own === undefined || !isReady(own, context)) return ''
  return 'has no ready endpoint'
}

/** What is behind a name or a cluster address is not known, and taken for ready. */
function isReady(service: Service, { snapshot, sides }: SideContext): boolean {
  const { type, metadata } = service
  if (type === 'ExternalName') return true
  const slices = snapshot.slicesOf(metadata.namespace, metadata.name)
  sides.set(service, slices)
  return slices.some(({ endpoints }) => endpoints.some(({ ready }) => ready))
}

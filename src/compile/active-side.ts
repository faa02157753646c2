import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Service } from '#src/snapshot/objects.ts'
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

/**
 * The Service that a route's requests go to: its own, or in a blue/green set-up the one that
 * `active-service` names, on the Ingress or else on the Service. A side that cannot take the requests
 * does not get them: without the port, or without a ready endpoint while the route's own Service has
 * one, the switch is not made, and that is told.
 */
export function activeSide(
  { parsed, route, own, ownSays }: Sides,
  snapshot: Snapshot,
  diagnostics: Diagnostics,
): Service | undefined {
  const name = parsed.routing[key] || ownSays
  const { backend } = route
  if (name === '' || !('service' in backend) || name === own?.metadata.name) return own
  const { namespace } = parsed.ingress.metadata
  const active = snapshot.get('Service', namespace, name)
  const problem = problemOf(active, own, { snapshot, port: backend.service.port })
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
  { snapshot, port }: { readonly snapshot: Snapshot; readonly port: string | number },
): string {
  if (active === undefined) return 'does not exist'
  if (resolvePort(active, port) === undefined) return `has no TCP port ${JSON.stringify(port)}`
  if (isReady(active, snapshot) || own === undefined || !isReady(own, snapshot)) return ''
  return 'has no ready endpoint'
}

/** What is behind a name or a cluster address is not known, and taken for ready. */
function isReady({ type, metadata }: Service, snapshot: Snapshot): boolean {
  if (type === 'ExternalName') return true
  return snapshot
    .slicesOf(metadata.namespace, metadata.name)
    .some(({ endpoints }) => endpoints.some(({ ready }) => ready))
}

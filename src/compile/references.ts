import { compareText } from './order.ts'
import { externalHost } from './services/backends.ts'
import type { Target } from './services/backends.ts'
import type { ParsedIngress } from './ingress.ts'
import type { ObjectReference } from './object-references.ts'
import type { CompileSettings, ObjectName } from './settings.ts'

/** What a table depends on beyond the kinds that are watched whole: only this need be fetched. */
export interface References {
  /** Names to resolve, lower case, sorted. */
  readonly hostnames: readonly string[]
  /** Secrets that are named, whether or not they exist; sorted. */
  readonly secrets: readonly ObjectName[]
  /** ConfigMaps that are named, whether or not they exist; sorted. */
  readonly configMaps: readonly ObjectName[]
}

export function collectReferences(
  parsed: readonly ParsedIngress[],
  targets: Iterable<Target>,
  ofOptions: readonly ObjectReference[],
  { defaultCertificate, configMap, tcpServices }: CompileSettings,
): References {
  const hostnames = new Set<string>()
  for (const { service } of targets) {
    const host = externalHost(service)
    if (host !== '') hostnames.add(host)
  }
  const secrets = new Map<string, ObjectName>()
  const configMaps = new Map<string, ObjectName>()
  if (defaultCertificate !== undefined) add(secrets, defaultCertificate)
  if (configMap !== undefined) add(configMaps, configMap)
  if (tcpServices !== undefined) add(configMaps, tcpServices)
  for (const { ingress, tls } of parsed) {
    const { namespace } = ingress.metadata
    for (const { secretName: name } of tls) if (name !== '') add(secrets, { namespace, name })
  }
  for (const reference of [ofOptions, ...parsed.map((owner) => owner.references)].flat()) {
    if (reference.problem !== '') continue
    add(reference.kind === 'Secret' ? secrets : configMaps, reference)
  }
  return {
    hostnames: [...hostnames].toSorted(compareText),
    secrets: sorted(secrets),
    configMaps: sorted(configMaps),
  }
}

function add(to: Map<string, ObjectName>, { namespace, name }: ObjectName): void {
  to.set(`${namespace}/${name}`, { namespace, name })
}

function sorted(names: ReadonlyMap<string, ObjectName>): ObjectName[] {
  return [...names.values()].toSorted(
    (a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name),
  )
}

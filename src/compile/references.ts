import { compareText } from './order.ts'
import { externalHost } from './services/backends.ts'
import type { Target } from './services/backends.ts'
import type { ParsedIngress } from './ingress.ts'
import type { CompileSettings, ObjectName } from './settings.ts'

/** What a table depends on beyond the kinds that are watched whole: only this need be fetched. */
export interface References {
  /** Names to resolve, lower case, sorted. */
  readonly hostnames: readonly string[]
  /** Secrets that are named, whether or not they exist; sorted. */
  readonly secrets: readonly ObjectName[]
}

export function collectReferences(
  parsed: readonly ParsedIngress[],
  targets: Iterable<Target>,
  { defaultCertificate }: CompileSettings,
): References {
  const hostnames = new Set<string>()
  for (const { service } of targets) {
    const host = externalHost(service)
    if (host !== '') hostnames.add(host)
  }
  const secrets = new Map<string, ObjectName>()
  const add = (name: ObjectName): void => {
    secrets.set(`${name.namespace}/${name.name}`, name)
  }
  if (defaultCertificate !== undefined) add(defaultCertificate)
  for (const { ingress, tls } of parsed) {
    const { namespace } = ingress.metadata
    for (const { secretName } of tls) if (secretName !== '') add({ namespace, name: secretName })
  }
  return {
    hostnames: [...hostnames].toSorted(compareText),
    secrets: [...secrets.values()].toSorted(
      (a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name),
    ),
  }
}

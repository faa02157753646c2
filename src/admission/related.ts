import type { Ingress } from '#src/snapshot/objects.ts'

/**
 * The Ingresses whose routes can meet those of `ingress`: with a host in common, be it by a rule, an
 * alias or the redirect between a name and its www name. All others compile the same with it and
 * without. The Ingress itself is left out.
 */
export function relatedIngresses(ingress: Ingress, all: Iterable<Ingress>): Ingress[] {
  const hosts = new Set(hostsOf(ingress))
  const { namespace, name } = ingress.metadata
  const related: Ingress[] = []
  for (const other of all) {
    if (other.metadata.namespace === namespace && other.metadata.name === name) continue
    if (hostsOf(other).some((host) => hosts.has(host))) related.push(other)
  }
  return related
}

/** Of objects that snapshot after snapshot holds: a review looks at every Ingress there is. */
const known = new WeakMap<Ingress, readonly string[]>()

function hostsOf(ingress: Ingress): readonly string[] {
  let hosts = known.get(ingress)
  if (hosts === undefined) known.set(ingress, (hosts = readHosts(ingress)))
  return hosts
}

/** Every host that an Ingress may bring about, '' for all others; more than it does, never less. */
function readHosts({ rules, metadata }: Ingress): readonly string[] {
  const hosts = rules.length === 0 ? [''] : rules.map(({ host }) => host.toLowerCase())
  const keys = Object.keys(metadata.annotations)
  for (const key of keys) {
    if (!key.endsWith('/server-alias')) continue
    hosts.push(...aliasesIn(metadata.annotations[key] ?? ''))
  }
  const wwwRedirect = keys.some((key) => key.endsWith(redirectKey))
  return wwwRedirect ? [...hosts, ...hosts.map(otherName)] : hosts
}

const redirectKey = '/from-to-www-redirect'

function aliasesIn(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
}

function otherName(host: string): string {
  return host.startsWith('www.') ? host.slice(4) : `www.${host}`
}

import type { Ingress } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'

/**
 * Ingresses by the hosts that they may bring about: by a rule, an alias or the redirect between a name and
 * its www name. From one snapshot of a store to the next it costs what changed.
 */
export class HostIndex {
  readonly #byHost = new Map<string, readonly Ingress[]>()
  #known = new Map<string, Ingress>()
  #snapshot: Snapshot | undefined

  /** Answers from now on by this snapshot. */
  follow(snapshot: Snapshot): void {
    const before = this.#snapshot
    if (before === snapshot) return
    const changed = before && snapshot.changed?.('Ingress', before)
    // Should something throw, nothing half followed is kept.
    this.#snapshot = undefined
    if (changed === undefined) this.#readAll(snapshot)
    else for (const key of changed) this.#replace(key, snapshot)
    this.#snapshot = snapshot
  }

  /**
   * The Ingresses whose routes can meet those of one, as it will be or as it is stored: with a host in common
   * with either, or with one that has. All others compile the same with it and without. The Ingress itself is
   * left out.
   */
  related(ingress: Ingress, stored: Ingress | undefined): Ingress[] {
    const own = keyOf(ingress)
    const found = new Set<Ingress>()
    const hosts = new Set([...hostsOf(ingress), ...(stored === undefined ? [] : hostsOf(stored))])
    // A set that grows while it is walked through is walked through to its end.
    for (const host of hosts) {
      for (const other of this.#byHost.get(host) ?? []) {
        if (found.has(other) || keyOf(other) === own) continue
        found.add(other)
        for (const next of hostsOf(other)) hosts.add(next)
      }
    }
    return [...found]
  }

  #readAll(snapshot: Snapshot): void {
    this.#byHost.clear()
    this.#known = new Map()
    for (const ingress of snapshot.all('Ingress')) this.#add(ingress)
  }

  #replace(key: string, snapshot: Snapshot): void {
    const old = this.#known.get(key)
    if (old !== undefined) this.#remove(key, old)
    const slash = key.indexOf('/')
    const now = snapshot.get('Ingress', key.slice(0, slash), key.slice(slash + 1))
    if (now !== undefined) this.#add(now)
  }

  #add(ingress: Ingress): void {
    this.#known.set(keyOf(ingress), ingress)
    for (const host of hostsOf(ingress)) {
      this.#byHost.set(host, [...(this.#byHost.get(host) ?? []), ingress])
    }
  }

  #remove(key: string, ingress: Ingress): void {
    this.#known.delete(key)
    for (const host of hostsOf(ingress)) {
      const rest = (this.#byHost.get(host) ?? []).filter((other) => other !== ingress)
      if (rest.length === 0) this.#byHost.delete(host)
      else this.#byHost.set(host, rest)
    }
  }
}

function keyOf({ metadata: { namespace, name } }: Ingress): string {
  return `${namespace}/${name}`
}

/** Each once. */
function hostsOf(ingress: Ingress): readonly string[] {
  return [...new Set(readHosts(ingress))]
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

import { defaultGlobalOptions, defaultRouteSettings } from '#src/table/defaults.ts'
import { hostKey, tupleKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import type { Backend, Endpoint, Host, Rule, RouteTable } from '#src/table/table.ts'

/** Small tables for tests of the process: what the proxy would make of them does not matter here. */

export function backend(name: string, addresses: readonly string[]): Backend {
  return {
    key: tupleKey('backend', name),
    service: { kind: 'Service', namespace: 'test', name },
    servicePort: 80,
    endpoints: addresses.map((address) => endpoint(address)),
    clientIpAffinitySeconds: 0,
  }
}

export function endpoint(address: string): Endpoint {
  return { address, port: 80, uid: '', state: 'ready', weight: 1, zone: '', node: '' }
}

/** A host whose rules are prefixes, each sent to a backend. */
export function host(pattern: string, rules: Readonly<Record<string, string>>): Host {
  return {
    key: hostKey('ingress', pattern),
    hostGroup: 'ingress',
    pattern,
    rules: Object.entries(rules).map(([path, name]) => rule(pattern, path, name)),
    certificate: undefined,
    tls: false,
    clientCertificates: undefined,
  }
}

function rule(pattern: string, path: string, name: string): Rule {
  return {
    key: tupleKey('rule', pattern, path),
    origin: { kind: 'Ingress', namespace: 'test', name: 'main' },
    path: { type: 'prefix', value: path },
    pathText: path,
    predicates: [],
    settings: defaultRouteSettings,
    policies: [],
    backends: [
      {
        backend: tupleKey('backend', name),
        service: name,
        weight: 1,
        balance: { algorithm: 'round-robin', options: {}, hashKey: [] },
        protocol: 'http1',
        tls: undefined,
        policies: [],
      },
    ],
  }
}

export function table(hosts: readonly Host[], backends: readonly Backend[]): RouteTable {
  return {
    listeners: new Map(),
    hosts: byKey(hosts),
    backends: byKey(backends),
    certificates: new Map(),
    authorities: new Map(),
    options: defaultGlobalOptions,
  }
}

function byKey<Part extends { readonly key: Key }>(parts: readonly Part[]): ReadonlyMap<Key, Part> {
  return new Map(parts.map((part) => [part.key, part]))
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultGlobalOptions, defaultRouteSettings, emptyTable } from '#src/table/defaults.ts'
import { printTable, shownPolicy } from '#src/table/print.ts'
import type {
  Authorities,
  Backend,
  Certificate,
  Host,
  Listener,
  RouteTable,
  Rule,
} from '#src/table/table.ts'

const origin = { kind: 'Ingress', namespace: 'shop', name: 'web' }

const backend: Backend = {
  key: 'b',
  service: { kind: 'Service', namespace: 'shop', name: 'web' },
  servicePort: 80,
  clientIpAffinitySeconds: 60,
  endpoints: [
    {
      address: '10.0.0.1',
      port: 8080,
      uid: 'pod-1',
      state: 'ready',
      weight: 2,
      zone: 'z1',
      node: 'n1',
    },
    {
      address: '2001:db8::1',
      port: 8080,
      uid: '',
      state: 'draining',
      weight: 1,
      zone: '',
      node: '',
    },
  ],
}

const rule: Rule = {
  key: 'r',
  origin,
  path: { type: 'exact', value: '/x' },
  pathText: '/x',
  predicates: [{ on: 'header', name: 'x-v', match: 'exact', value: '1' }],
  settings: { ...defaultRouteSettings, bodyBytesMax: 1024 },
  policies: [{ name: 'one', config: { a: 1, b: ['x y'] } }],
  backends: [
    {
      backend: 'b',
      service: 'web',
      weight: 90,
      balance: { algorithm: 'round-robin', options: {}, hashKey: [] },
      protocol: 'http1',
      tls: undefined,
      policies: [{ name: 'two', config: {} }],
    },
    {
      backend: 'gone',
      service: 'canary',
      weight: 10,
      balance: {
        algorithm: 'hash',
        options: { boundFactor: Infinity },
        hashKey: [{ variable: 'host' }, { text: '-' }],
      },
      protocol: 'http2',
      tls: {
        serverName: 'a.internal',
        sendServerName: true,
        verify: true,
        verifyDepth: 1,
        ca: '',
        certificate: '',
        key: 's3cret',
        ciphers: '',
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        alpn: [],
      },
      policies: [],
    },
  ],
}

const host: Host = {
  key: 'h',
  hostGroup: 'ingress',
  pattern: 'a.example',
  rules: [
    rule,
    {
      ...rule,
      path: { type: 'prefix', value: '' },
      pathText: '',
      predicates: [],
      settings: defaultRouteSettings,
      policies: [],
      backends: [],
    },
  ],
  certificate: 'c',
  tls: true,
  clientCertificates: { policy: 'strict', authorities: 'ca' },
}

const certificate: Certificate = {
  key: 'c',
  origin: { kind: 'Secret', namespace: 'shop', name: 'tls' },
  certificatePem: 'PEM',
  keyPem: 's3cret',
  names: ['a.example', '*.a.example'],
  fingerprint: 'abc',
  notAfterMs: Date.UTC(2027, 0, 1),
}

const authorities: Authorities = {
  key: 'ca',
  origin: { kind: 'Secret', namespace: 'shop', name: 'clients' },
  caPem: 'CA PEM',
  crlPem: 'CRL PEM',
  fingerprint: 'def',
}

const listener: Listener = {
  key: 'l',
  protocol: 'https',
  addresses: ['192.0.2.1'],
  port: 443,
  hostGroup: 'ingress',
  proxyProtocol: true,
  defaultCertificate: 'c',
}

const table: RouteTable = {
  listeners: new Map([
    ['l', listener],
    [
      'm',
      {
        ...listener,
        key: 'm',
        protocol: 'http',
        port: 80,
        addresses: [],
        proxyProtocol: false,
        defaultCertificate: undefined,
      },
    ],
  ]),
  hosts: new Map([
    ['h', host],
    [
      'any',
      {
        ...host,
        key: 'any',
        pattern: '',
        rules: [],
        certificate: undefined,
        tls: true,
        clientCertificates: undefined,
      },
    ],
  ]),
  backends: new Map([
    ['b', backend],
    ['e', { ...backend, key: 'e', servicePort: 9, endpoints: [], clientIpAffinitySeconds: 0 }],
  ]),
  certificates: new Map([['c', certificate]]),
  authorities: new Map([['ca', authorities]]),
  options: { ...defaultGlobalOptions, accessLog: false },
}

const expected = `listener http 80
listener https 443 on 192.0.2.1 proxy-protocol certificate=shop/tls

options accessLog=false

host (any other) tls=(default certificate)
  none (404)

host a.example tls=shop/tls clients=shop/clients
  exact /x header:x-v="1"  # Ingress shop/web /x
    settings bodyBytesMax=1024
    one a=1 b=["x y"]
    -> shop/web:80 round-robin weight=90
       two
    -> gone hash boundFactor=Infinity by="\${host}-" weight=10 http2 tls verify=a.internal
  prefix /*  # Ingress shop/web (default backend)
    -> none (503)

backend shop/web:9
  none

backend shop/web:80 client-ip-affinity=60s
  10.0.0.1:8080 ready weight=2 uid=pod-1 zone=z1 node=n1
  [2001:db8::1]:8080 draining

certificate shop/tls a.example *.a.example
  fingerprint=abc not-after=2027-01-01T00:00:00.000Z

authorities shop/clients with revocation list
  fingerprint=def
`

test('everything that the table says is in the print, but no key', () => {
  assert.equal(printTable(table), expected)
})

test('the order of maps does not show', () => {
  const other: RouteTable = {
    ...table,
    listeners: reversed(table.listeners),
    hosts: reversed(table.hosts),
    backends: reversed(table.backends),
  }
  assert.equal(printTable(other), expected)
})

test('an empty table prints nothing', () => {
  assert.equal(printTable(emptyTable), '')
})

function reversed<Part>(parts: ReadonlyMap<string, Part>): Map<string, Part> {
  return new Map([...parts].toReversed())
}

test('hashes of passwords are in no policy that is shown', () => {
  const config = { realm: 'r', credentials: ['ann', '$2y$05$secret', 'bob', '{SHA}secret'] }
  assert.deepEqual(shownPolicy({ name: 'basic-auth', config }), {
    name: 'basic-auth',
    config: { realm: 'r', users: 2 },
  })
})

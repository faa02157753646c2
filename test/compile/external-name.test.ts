import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { Service, ServicePort } from '#src/snapshot/objects.ts'
import { service } from './builders.ts'
import { backendOf, port, shown } from './one-backend.ts'

// ExternalName: the addresses of its name, at the port that the Ingress or the Service says.
const external = (externalName: string, own: readonly ServicePort[] = []): Service =>
  service('web', { type: 'ExternalName', externalName, ports: own, clusterIps: [] })
const resolved = { 'out.example': ['192.0.2.1', '192.0.2.2'], localhost: ['127.0.0.1'] }

interface ExternalRow {
  readonly title: string
  readonly service: Service
  readonly port: string | number
  readonly endpoints: readonly string[]
  readonly findings?: readonly string[]
  readonly settings?: Partial<CompileSettings>
}

const unresolved = ['name-unresolved Service shop/web spec.externalName']
const both = (number: number): string[] => [
  `192.0.2.1:${number} ready`,
  `192.0.2.2:${number} ready`,
]

const externalRows: readonly ExternalRow[] = [
  {
    title: 'without ports: the number in the Ingress',
    service: external('out.example'),
    port: 8443,
    endpoints: both(8443),
  },
  {
    title: 'a name with a dot at the end, in any case',
    service: external('Out.Example.'),
    port: 80,
    endpoints: both(80),
  },
  {
    title: 'a named port: its targetPort',
    service: external('out.example', [port('web', 80, { targetPort: 9000 })]),
    port: 'web',
    endpoints: both(9000),
  },
  {
    title: 'a numbered port: its targetPort',
    service: external('out.example', [port('web', 80, { targetPort: 9000 })]),
    port: 80,
    endpoints: both(9000),
  },
  {
    title: 'a targetPort that is a name: the port itself',
    service: external('out.example', [port('web', 80, { targetPort: 'x' })]),
    port: 80,
    endpoints: both(80),
  },
  {
    title: 'a number that is no port of the Service: itself',
    service: external('out.example', [port('web', 80)]),
    port: 81,
    endpoints: both(81),
  },
  {
    title: 'a name that is no port of the Service',
    service: external('out.example', [port('web', 80)]),
    port: 'nope',
    endpoints: [],
    findings: [
      'service-port-missing Ingress shop/one spec.rules[0].http.paths[0].backend.service.port',
    ],
  },
  {
    title: 'an address in place of a name',
    service: external('198.51.100.7'),
    port: 80,
    endpoints: ['198.51.100.7:80 ready'],
  },
  {
    title: 'a name that is not resolved',
    service: external('gone.example'),
    port: 80,
    endpoints: [],
    findings: unresolved,
  },
  {
    title: 'text that is no name',
    service: external('no name'),
    port: 80,
    endpoints: [],
    findings: unresolved,
  },
  { title: 'no text at all', service: external(''), port: 80, endpoints: [], findings: unresolved },
  {
    title: 'our own host, in a cluster',
    service: external('localhost'),
    port: 80,
    endpoints: [],
    findings: ['endpoint-invalid Service shop/web spec.externalName'],
  },
  {
    title: 'cloud metadata, in a cluster',
    service: external('169.254.169.254'),
    port: 80,
    endpoints: [],
    findings: ['endpoint-invalid Service shop/web spec.externalName'],
  },
  {
    title: 'our own host, from files',
    service: external('localhost'),
    port: 80,
    endpoints: ['127.0.0.1:80 ready'],
    settings: { source: 'files' },
  },
]

for (const row of externalRows) {
  test(`ExternalName, ${row.title}`, () => {
    const { backend, findings } = backendOf([row.service], row.port, { resolved, ...row.settings })
    assert.deepEqual(shown(backend), row.endpoints)
    assert.deepEqual(findings, row.findings ?? [])
  })
}

test('the names to resolve are told, and only those that some rule needs', () => {
  const { compiled } = backendOf([
    external('Out.Example.'),
    service('unused', { type: 'ExternalName', externalName: 'unused.example' }),
  ])
  assert.deepEqual(compiled.references.hostnames, ['out.example'])
})

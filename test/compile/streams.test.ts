import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigMap } from '#src/snapshot/objects.ts'
import { printTable } from '#src/table/print.ts'
import { endpoint, ingress, metadata, nginx, prefix, service, slice, to, web } from './builders.ts'
import { compileObjects, found } from './compiling.ts'
import type { Given } from './compiling.ts'

const tcpServices = { namespace: 'shop', name: 'tcp' }
const db = [
  service('db', {
    ports: [
      { name: 'sql', port: 5432, targetPort: 5432, protocol: 'TCP', appProtocol: '' },
      { name: 'dns', port: 53, targetPort: 53, protocol: 'UDP', appProtocol: '' },
    ],
  }),
  slice('db-1', 'db', [endpoint('10.0.0.1')], {
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP', appProtocol: '' }],
  }),
]

function ports(data: Readonly<Record<string, string>>): ConfigMap {
  return { kind: 'ConfigMap', metadata: metadata('tcp'), file: '', data }
}

/** Lines of the printed table that begin like this, and what was found. */
function shown(
  start: string,
  objects: Parameters<typeof compileObjects>[0],
  given: Given = { tcpServices },
): { lines: string[]; findings: string[]; messages: string[] } {
  const compiled = compileObjects(objects, given)
  return {
    lines: printTable(compiled.table)
      .split('\n')
      .filter((line) => line.startsWith(start)),
    findings: found(compiled),
    messages: compiled.diagnostics.map(({ message }) => message),
  }
}

const served: readonly (readonly [text: string, line: string])[] = [
  ['shop/db:5432', ''],
  [' shop/db:sql ', ''],
  ['shop/db:5432:PROXY', ' proxy-protocol'],
  ['shop/db:5432::PROXY', ' sends'],
  ['shop/db:5432:proxy:proxy', ' proxy-protocol sends'],
  ['shop/db:5432::', ''],
]
for (const [text, more] of served) {
  test(`TCP port for ${JSON.stringify(text)}`, () => {
    const { lines, findings } = shown('listener tcp', [...db, ports({ 9000: text })])
    const decodes = more.includes('proxy-protocol') ? ' proxy-protocol' : ''
    const sends = more.includes('sends') ? ' sends-proxy-header' : ''
    const line = `listener tcp 9000${decodes} -> shop/db:5432 round-robin${sends}`
    assert.deepEqual([lines, findings], [[line], []])
  })
}

const refused: readonly (readonly [port: string, text: string, message: RegExp])[] = [
  ['80', 'shop/db:5432', /^port 80 is that of --http-port$/],
  ['443', 'shop/db:5432', /^port 443 is that of --https-port$/],
  ['9180', 'shop/db:5432', /^port 9180 is that of --admin-port$/],
  ['8443', 'shop/db:5432', /^port 8443 is that of --webhook-port$/],
  ['0', 'shop/db:5432', /^must be a port from 1 to 65535, got "0"$/],
  ['65536', 'shop/db:5432', /^must be a port/],
  ['sql', 'shop/db:5432', /^must be a port from 1 to 65535, got "sql"$/],
  ['09000', 'shop/db:5432', /^must be a port/],
  ['9000', 'db:5432', /^must be namespace\/service:port.*got "db:5432"$/],
  ['9000', 'shop/db', /^must be namespace\/service:port/],
  ['9000', 'shop/db:5432:TLS', /^must be namespace\/service:port/],
  ['9000', 'shop/db:5432:PROXY:PROXY:PROXY', /^must be namespace\/service:port/],
  ['9000', 'shop/gone:5432', /^Service shop\/gone does not exist$/],
  ['9000', 'shop/db:1', /^Service shop\/db has no TCP port 1$/],
  ['9000', 'shop/db:dns', /^Service shop\/db has no TCP port "dns"$/],
]
for (const [port, text, message] of refused) {
  test(`no TCP port for ${port}: ${text}`, () => {
    const objects = [...db, ports({ [port]: text, 9001: 'shop/db:5432' })]
    const given = { tcpServices, webhookPort: 8443 }
    const { lines, findings, messages } = shown('listener tcp', objects, given)
    assert.deepEqual(lines, ['listener tcp 9001 -> shop/db:5432 round-robin'])
    assert.deepEqual(findings, [`stream-invalid ConfigMap shop/tcp ${port}`])
    assert.match(messages.at(-1) ?? '', message)
  })
}

test('a ConfigMap that is missing is told, and one that nobody names is left alone', () => {
  const { lines, findings } = shown('listener tcp', db)
  assert.deepEqual([lines, findings], [[], ['stream-configmap-missing ConfigMap shop/tcp ']])
  const unnamed = shown('listener tcp', [...db, ports({ 9000: 'shop/db:5432' })], {})
  assert.deepEqual([unnamed.lines, unnamed.findings], [[], []])
})

test('a Service without endpoints keeps its port', () => {
  const { lines } = shown('listener tcp', [db[0] as (typeof db)[0], ports({ 9000: 'shop/db:sql' })])
  assert.equal(lines.length, 1)
})

test('the times of streams are options', () => {
  const options: ConfigMap = {
    kind: 'ConfigMap',
    metadata: { ...metadata('options'), namespace: 'headgate' },
    file: '',
    data: {
      'proxy-stream-timeout': '1h',
      'proxy-stream-next-upstream': 'false',
      'proxy-stream-next-upstream-timeout': '5s',
      'proxy-connect-timeout': '2',
    },
  }
  const { table } = compileObjects([...db, options, ports({ 9000: 'shop/db:sql' })], {
    tcpServices,
  })
  const streams = [...table.listeners.values()].flatMap(({ stream }) => stream ?? [])
  assert.partialDeepStrictEqual(streams, [
    { idleTimeoutMs: 3_600_000, triesMax: 1, retryTimeoutMs: 5000, connectTimeoutMs: 2000 },
  ])
})

const passes = nginx({ 'ssl-passthrough': 'true' })
const sslPassthrough = true

test('ssl-passthrough sends TLS to the Service of path /, and says what it leaves', () => {
  const hosts = { 'a.example': [prefix('/'), prefix('/api')] }
  const one = ingress('one', { annotations: passes, hosts })
  const { lines, findings, messages } = shown('host', [...web, one], { sslPassthrough })
  assert.deepEqual(lines, ['host a.example tls-passthrough -> shop/web:80 round-robin'])
  assert.deepEqual(findings, [
    'annotation-differs Ingress shop/one nginx.ingress.kubernetes.io/ssl-passthrough',
  ])
  assert.match(
    messages.join(),
    /TLS of a\.example goes to the Service of path \/; \/api can be had/,
  )
})

test('a default backend counts as path /', () => {
  const one = ingress('one', {
    annotations: passes,
    hosts: { 'a.example': [] },
    defaultBackend: to('web'),
  })
  const { lines, findings } = shown('host', [...web, one], { sslPassthrough })
  assert.deepEqual(lines, ['host a.example tls-passthrough -> shop/web:80 round-robin'])
  assert.deepEqual(findings, [])
})

test('session cookies mean nothing below HTTP, and a redirect between names passes nothing on', () => {
  const annotations = {
    ...passes,
    ...nginx({ affinity: 'cookie', 'from-to-www-redirect': 'true', 'server-alias': 'b.example' }),
  }
  const { lines } = shown('host', [...web, ingress('one', { annotations })], { sslPassthrough })
  assert.deepEqual(lines, [
    'host a.example tls-passthrough -> shop/web:80 round-robin',
    'host b.example tls-passthrough -> shop/web:80 round-robin',
    'host www.a.example',
  ])
})

const kept: readonly (readonly [string, Parameters<typeof ingress>[1], Given, RegExp])[] = [
  ['without the flag', {}, {}, /needs the flag --enable-ssl-passthrough/],
  ['without a host', { hosts: { '': [prefix('/')] } }, { sslPassthrough }, /needs a host/],
  [
    'without a path /',
    { hosts: { 'a.example': [prefix('/x')] } },
    { sslPassthrough },
    /has no path \//,
  ],
  [
    'without a Service',
    { hosts: { 'a.example': [prefix('/', to('gone'))] } },
    { sslPassthrough },
    /has no path \//,
  ],
]
for (const [what, parts, given, message] of kept) {
  test(`TLS ends here ${what}`, () => {
    const one = ingress('one', { annotations: passes, ...parts })
    const { lines, findings, messages } = shown('host', [...web, one], given)
    assert.ok(!lines.join().includes('passthrough'))
    assert.ok(findings.some((finding) => finding.startsWith('annotation-refused Ingress shop/one')))
    assert.match(messages.join('\n'), message)
  })
}

test('only true asks for it', () => {
  for (const [value, codes] of Object.entries({ false: [], maybe: ['annotation-invalid'] })) {
    const annotations = nginx({ 'ssl-passthrough': value })
    const objects = [...web, ingress('one', { annotations })]
    const { lines, findings } = shown('host', objects, { sslPassthrough })
    assert.deepEqual(lines, ['host a.example'])
    assert.deepEqual(
      findings.map((finding) => finding.split(' ')[0]),
      codes,
    )
  }
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { before, after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { policies } from '#src/policies/index.ts'
import { createFolder, startServing, startUpstream, until } from '#test/commands/instance.ts'
import type { Ports } from '#test/commands/instance.ts'
import { issue } from '#test/transport/certificates.ts'
import type { Issued } from '#test/transport/certificates.ts'
import { authorityName, copyPath, pairs } from './order-pairs.ts'
import type { Outcome, Pair } from './order-pairs.ts'

const hostOf = ({ policies: [a, b] }: Pair): string => `${a}.${b}.example`

test('every two neighbours among the policies are a pair, in this order', () => {
  const listed = Object.keys(policies)
  assert.deepEqual(
    pairs.map(({ policies: names }) => names),
    listed.slice(1).map((name, i) => [listed[i], name]),
  )
})

const cleanups: (() => unknown)[] = []
let ports: Ports
let client: Issued
/** The copies that arrived. */
const copies: string[] = []
/** The last copies of all: when one is here, those of requests before it are. */
const marker: Pair = {
  policies: ['mirror', 'mirror'],
  annotations: { 'mirror-target': `http://${authorityName}${copyPath}/marker` },
  check: () => undefined,
}

before(async () => {
  const context = { after: (cleanup: () => unknown) => cleanups.push(cleanup) }
  const t = context as unknown as TestContext
  const upstream = await startUpstream(t, (request, response) => {
    response.setHeader('content-type', 'text/plain')
    response.setHeader('location', 'http://in/x')
    response.setHeader('set-cookie', 'a=b; Path=/one')
    response.setHeader('x-hidden', '1')
    const { headers, url = '' } = request
    const own = ['x-set', 'traceparent', 'tracestate'].map((name) => headers[name] ?? '')
    response.setHeader('x-saw', JSON.stringify([url, headers.host, ...own]))
    response.end('a body that is long enough to be compressed by brotli')
  })
  // Judges by its path; for /original only if it is told the target as the client sent it.
  const authority = await startUpstream(t, (request, response) => {
    if (request.url?.startsWith(copyPath) === true) {
      copies.push(`${request.url} ${String(request.headers['x-forwarded-prefix'] ?? '')}`)
    }
    const original = new URL(String(request.headers['x-original-url'] ?? 'http://x/')).pathname
    const [, status = original === '/original' ? '200' : '403'] =
      /^\/status\/(\d+)/.exec(request.url ?? '') ?? []
    response.writeHead(Number(status))
    response.end()
  })
  const ca = await issue({ commonName: 'ca', ca: true })
  const server = await issue({ commonName: 'server', names: ['*.client-certificates.example'] })
  client = await issue({ commonName: 'nobody', issuer: ca })
  const folder = createFolder(t, {
    'all.json': JSON.stringify(manifests(upstream, authority, ca, server)),
  })
  ports = (await startServing(t, folder, ['--configmap=test/options', '--workers=1'])).ports
})

after(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup()
})

for (const pair of pairs) {
  const [first, second] = pair.policies
  test(`${first} ${pair.order === false ? 'and' : 'before'} ${second}`, async () => {
    let outcome = await send(pair)
    for (let i = 1; i < (pair.times ?? 1); i++) outcome = await send(pair)
    pair.check({ ...outcome, copies: await copiesOf(pair) })
  })
}

async function copiesOf(pair: Pair): Promise<readonly string[]> {
  if (!('mirror-target' in pair.annotations)) return []
  await send(marker)
  await until(() => copies.includes(`${copyPath}/marker `))
  return copies.splice(0).filter((copy) => copy !== `${copyPath}/marker `)
}

async function send(pair: Pair): Promise<Omit<Outcome, 'copies'>> {
  const { method = 'GET', target = '/', fields = {}, host = '', tls } = pair
  const name = `${host}${hostOf(pair)}`
  const options = {
    host: '127.0.0.1',
    port: tls === undefined ? ports.http : ports.https,
    servername: name,
    rejectUnauthorized: false,
    ...(tls === 'client' && { cert: client.certificatePem, key: client.keyPem }),
    agent: false,
    method,
    path: target,
    headers: { host: name, ...fields },
  }
  return await new Promise((resolve, reject) => {
    const asked = (tls === undefined ? httpRequest : httpsRequest)(options, (response) => {
      const { statusCode: status = 0, headers } = response
      response.resume()
      response.on('end', () => {
        const saw = JSON.parse(String(headers['x-saw'] ?? '[]')) as string[]
        resolve({ status, headers, saw })
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}

function metadata(name: string): object {
  return { name, namespace: 'test' }
}

function configMap(name: string, data: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name), data }
}

function secret(name: string, texts: Readonly<Record<string, string>>, type = 'Opaque'): object {
  const data = Object.entries(texts).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ])
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: metadata(name),
    data: Object.fromEntries(data) as object,
  }
}

// oxlint-disable-next-line max-params -- what the manifests are made of
function manifests(upstream: number, authority: number, ca: Issued, server: Issued): object {
  const sha = createHash('sha1').update('right').digest('base64')
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      ...[...pairs, marker].map((pair) => ingress(pair, authority)),
      ...service('app', upstream),
      secret('users', { auth: `user:{SHA}${sha}` }),
      secret('ca', { 'ca.crt': ca.certificatePem }),
      secret(
        'server',
        { 'tls.crt': server.certificatePem, 'tls.key': server.keyPem },
        'kubernetes.io/tls',
      ),
      configMap('custom', { 'X-Both': 'custom', 'Access-Control-Allow-Methods': 'NONE' }),
      configMap('added', { 'X-Both': 'added' }),
      configMap('set', { 'X-Set': 'set', Tracestate: 'by=set' }),
      configMap('options', {
        'add-headers': 'test/added',
        'proxy-set-headers': 'test/set',
        'hide-headers': 'X-Hidden',
        'block-user-agents': 'blocked',
        'allow-snippet-annotations': 'true',
        'annotations-risk-level': 'Critical',
        'global-allowed-response-headers': 'X-Both,Access-Control-Allow-Methods',
      }),
    ],
  }
}

function ingress(pair: Pair, authority: number): object {
  const host = hostOf(pair)
  const own = new Set(['compression'])
  const annotations = Object.entries(pair.annotations).map(([key, value]) => [
    `${own.has(key) ? 'headgate.dev' : 'nginx.ingress.kubernetes.io'}/${key}`,
    value.replace(authorityName, `127.0.0.1:${authority}`),
  ])
  const backend = { service: { name: 'app', port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: pair.policies.join('.'),
      namespace: 'test',
      annotations: Object.fromEntries(annotations) as object,
    },
    spec: {
      ...(pair.tls !== undefined && { tls: [{ hosts: [host], secretName: 'server' }] }),
      rules: [
        { host, http: { paths: [{ path: '/', pathType: 'ImplementationSpecific', backend }] } },
      ],
    },
  }
}

function service(name: string, port: number): object[] {
  const labels = { 'kubernetes.io/service-name': name }
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'test' },
      spec: { ports: [{ name: 'http', port: 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace: 'test', labels },
      addressType: 'IPv4',
      ports: [{ name: 'http', port }],
      endpoints: [{ addresses: ['127.0.0.1'] }],
    },
  ]
}

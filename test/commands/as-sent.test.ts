import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, createFolder, manifest, startServing, startUpstream, until } from './instance.ts'

const options = `
apiVersion: v1
kind: ConfigMap
metadata: { name: headgate, namespace: test }
data: { proxy-set-headers: test/replacing }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: replacing, namespace: test }
data: { Cookie: '', X-Canary: '', X-Key: replaced }
`
const prefix = 'nginx.ingress.kubernetes.io'

/** What upstreams do not get still says where a request goes. */
test('fields that are taken out of requests choose canaries, sessions and endpoints', async (t) => {
  const names = ['main', 'canary', 'left', 'right']
  const [main = 0, canary = 0, left = 0, right = 0] = await Promise.all(
    names.map((name) =>
      startUpstream(t, (request, response) => {
        const { cookie = '-', 'x-canary': asked = '-', 'x-key': key = '-' } = request.headers
        response.end([name, cookie, asked, key].join(' '))
      }),
    ),
  )
  const canaries = [`canary: "true"`, `canary-by-header: X-Canary`, `canary-by-cookie: try`]
  const pair = (host: string, annotation: string): string =>
    manifest(host, left, `${prefix}/${annotation}`)
      .replace(
        /endpoints: .*/,
        `endpoints: [{ addresses: [127.0.0.1], conditions: { ready: true } }]\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: web-2, namespace: test, labels: { kubernetes.io/service-name: web } }\naddressType: IPv4\nports: [{ name: http, port: ${right} }]\nendpoints: [{ addresses: [127.0.0.1], conditions: { ready: true } }]`,
      )
      .replaceAll('web', host.split('.')[0] as string)
  const folder = createFolder(t, {
    'all.yaml': [
      options,
      manifest('a.example', main).replaceAll('web', 'main'),
      manifest(
        'a.example',
        canary,
        canaries.map((one) => `${prefix}/${one}`).join(', '),
      ).replaceAll('web', 'canary'),
      pair('sticky.example', 'affinity: cookie'),
      pair('hashed.example', 'upstream-hash-by: $http_x_key'),
    ].join('\n---\n'),
  })
  const { ports } = await startServing(t, folder, ['--configmap=test/headgate'])
  const visit = async (
    host: string,
    headers: Record<string, string>,
  ): Promise<[string, string]> => {
    const got = await ask(ports.http, '/', { headers: { host, ...headers } })
    assert.equal(got.status, 200, got.body)
    return [got.body, got.headers['set-cookie']?.[0]?.split(';')[0] ?? '']
  }

  assert.deepEqual(await visit('a.example', { 'x-canary': 'always' }), ['canary - - replaced', ''])
  assert.deepEqual(await visit('a.example', { cookie: 'try=always' }), ['canary - - replaced', ''])
  assert.deepEqual(await visit('a.example', {}), ['main - - replaced', ''])

  const sessions = new Set<string>()
  for (let i = 0; i < 8; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one visit after the other
    const [body, cookie] = await visit('sticky.example', {})
    sessions.add(body)
    // oxlint-disable-next-line no-await-in-loop
    assert.deepEqual(await visit('sticky.example', { cookie }), [body, ''])
  }
  assert.equal(sessions.size, 2)

  const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`)
  const first = await Promise.all(keys.map((key) => visit('hashed.example', { 'x-key': key })))
  const again = await Promise.all(keys.map((key) => visit('hashed.example', { 'x-key': key })))
  assert.deepEqual(again, first)
  assert.equal(new Set(first.map(([body]) => body)).size, 2)
})

test('a trusted peer speaks for the host, and what it was asked for itself is told nevertheless', async (t) => {
  const port = await startUpstream(t, (request, response) => {
    response.end(request.headers.host)
  })
  const formatted = options.replace(
    '{ proxy-set-headers: test/replacing }',
    `{ use-forwarded-headers: 'true', log-format-upstream: '$host $http_host $best_http_host' }`,
  )
  const folder = createFolder(t, {
    'all.yaml': [formatted, manifest('a.example', port)].join('---'),
  })
  const { ports, program } = await startServing(t, folder, ['--configmap=test/headgate'])
  const headers = { host: 'a.example', 'x-forwarded-host': 'public.example:8443' }
  assert.equal((await ask(ports.http, '/', { headers })).body, 'public.example:8443')
  await until(() => program.stdout.includes('a.example a.example public.example:8443\n'))
})

import assert from 'node:assert/strict'
import { createServer as createPlainServer } from 'node:http'
import { test } from 'node:test'
import { isExpired, isForbidden, isNotFound } from '#src/kubernetes/api-error.ts'
import {
  answer,
  base64,
  bodyOf,
  clientOf,
  connected,
  failureOf,
  folderOf,
  listen,
} from './api-setting.ts'
import { nextPair, startServer, writeConfig } from './api-setting.ts'

const limits = { timeout: 30_000 }

test('a request carries path, query, body and types, over verified TLS', limits, async (t) => {
  const client = await connected(t, (request, response) => {
    const { method, url, headers } = request
    const { 'content-type': type, accept, 'user-agent': agent } = headers
    void bodyOf(request).then((body) => {
      answer(response, 200, { method, url, body, type, accept, agent })
      return body
    })
  })
  const got = await client.request({
    method: 'PATCH',
    path: '/apis/x/v1/things/a',
    query: { fieldManager: 'us & them' },
    body: { a: 1 },
    contentType: 'application/merge-patch+json',
  })
  assert.deepEqual(got, {
    method: 'PATCH',
    url: '/apis/x/v1/things/a?fieldManager=us%20%26%20them',
    body: '{"a":1}',
    type: 'application/merge-patch+json',
    accept: 'application/json',
    agent: 'headgate/test',
  })
})

test('a path in the server URL is a prefix', limits, async (t) => {
  const port = await startServer(t, (request, response) => {
    answer(response, 200, request.url)
  })
  const server = `https://localhost:${port}/k8s/clusters/c-1/`
  const client = await clientOf(t, writeConfig(folderOf(t), { port, cluster: { server } }))
  assert.equal(
    await client.request({ method: 'GET', path: '/version' }),
    '/k8s/clusters/c-1/version',
  )
})

const refusals: readonly (readonly [status: number, body: unknown, expected: RegExp])[] = [
  [403, { kind: 'Status', reason: 'Forbidden', message: 'no\nway' }, /^GET \/x: 403 no way$/],
  [404, { kind: 'Status', reason: 'NotFound', message: 'gone' }, /^GET \/x: 404 gone$/],
  [410, { kind: 'Status', reason: 'Expired', message: 'too old' }, /^GET \/x: 410 too old$/],
  [502, '<html>', /^GET \/x: 502 "<html>"$/],
]

for (const [status, body, expected] of refusals) {
  test(`status ${status} is an error with the server's words`, limits, async (t) => {
    const client = await connected(t, (_request, response) => {
      answer(response, status, body)
    })
    const error = await failureOf(client.request({ method: 'GET', path: '/x' }))
    assert.match(error.message, expected)
    assert.equal(error.status, status)
    assert.deepEqual(
      [isForbidden(error), isNotFound(error), isExpired(error)],
      [status === 403, status === 404, status === 410],
    )
  })
}

for (const [told, ms] of [
  ['7', 7000],
  // What no timer can hold would come back at once.
  ['9999999', 300_000],
  ['-1', 0],
  ['Wed, 21 Oct 2026 07:28:00 GMT', 0],
] as const) {
  test(`Retry-After is told, within reason: ${told}`, limits, async (t) => {
    const client = await connected(t, (_request, response) => {
      response.writeHead(429, { 'retry-after': told }).end('{}')
    })
    const error = await failureOf(client.request({ method: 'GET', path: '/x' }))
    assert.equal(error.retryAfterMs, ms)
  })
}

test('what answers nothing, too much, or no JSON', limits, async (t) => {
  const client = await connected(t, ({ url }, response) => {
    if (url === '/much') response.end('"'.padEnd(5000, 'x'))
    if (url === '/text') response.end('hello')
    if (url === '/cut') response.socket?.destroy()
    if (url === '/half') {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"a":')
    }
  })
  const get = (path: string, timeoutMs = 10_000) =>
    client.request({ method: 'GET', path, timeoutMs, bytesMax: 4000 })
  for (const [path, reason, ms] of [
    ['/much', 'TooLarge'],
    ['/text', 'Malformed'],
    ['/cut', 'Unreachable'],
    ['/silent', 'Timeout', 50],
    ['/half', 'Timeout', 50],
  ] as const) {
    const error = await failureOf(get(path, ms))
    assert.deepEqual([error.status, error.reason], [0, reason], path)
  }
})

test('a request can be given up', limits, async (t) => {
  const controller = new AbortController()
  const client = await connected(t, () => {
    controller.abort()
  })
  const { signal } = controller
  const error = await failureOf(client.request({ method: 'GET', path: '/x', signal }))
  assert.equal(error.reason, 'Aborted')
})

test('nobody listens', limits, async (t) => {
  const port = await listen(t, createPlainServer())
  const client = await clientOf(t, writeConfig(folderOf(t), { port: port === 1 ? 2 : 1 }))
  const error = await failureOf(client.request({ method: 'GET', path: '/x' }))
  assert.equal(error.reason, 'Unreachable')
  assert.match(error.message, /ECONNREFUSED/)
})

test('a server with another certificate is not spoken to', limits, async (t) => {
  let asked = 0
  const port = await startServer(t, (_request, response) => {
    asked++
    response.end('{}')
  })
  const cluster = { 'certificate-authority-data': base64(nextPair.certificatePem) }
  const client = await clientOf(t, writeConfig(folderOf(t), { port, cluster }))
  const error = await failureOf(client.request({ method: 'GET', path: '/x' }))
  assert.equal(error.reason, 'Unreachable')
  assert.equal(asked, 0)
})

test('a watch gives pieces as they come, and ends when it is told to', limits, async (t) => {
  const { promise: closed, resolve: gone } = Promise.withResolvers<void>()
  const client = await connected(t, (request, response) => {
    response.write(`{"url":${JSON.stringify(request.url)}}\n`)
    response.on('close', gone)
  })
  const controller = new AbortController()
  const { signal } = controller
  const watch = await client.watch({ path: '/w', query: { watch: 'true' }, signal })
  const read = async (): Promise<void> => {
    for await (const piece of watch) {
      assert.equal(piece.toString(), '{"url":"/w?watch=true"}\n')
      controller.abort()
    }
  }
  assert.equal((await failureOf(read())).reason, 'Aborted')
  await closed
})

test('leaving the loop ends a watch, too', limits, async (t) => {
  const { promise: closed, resolve: gone } = Promise.withResolvers<void>()
  const client = await connected(t, (_request, response) => {
    response.write('{}\n')
    response.on('close', gone)
  })
  const { signal } = new AbortController()
  for await (const piece of await client.watch({ path: '/w', query: {}, signal })) {
    assert.equal(piece.toString(), '{}\n')
    break
  }
  await closed
})

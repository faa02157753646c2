import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { Client, Upstream, versions } from '#test/support/http-peers.ts'
import type { Version } from '#test/support/http-peers.ts'
import { localService, serve, webIngress } from '#test/support/served.ts'

// `web` answers with as many bytes as X-Size asks for. Times are lower bounds where a loaded machine
// could only be slower, and generous where it matters that nothing is held back.

let web: Upstream
/** Bytes that the endpoint could write. */
let written = 0

before(async () => {
  web = await Upstream.start('http1')
  web.listener = (request, response) => {
    let left = Number(request.headers['x-size'])
    response.writeHead(200, { 'content-length': left })
    const chunk = Buffer.alloc(16 * 1024, 'abcdefgh')
    const pump = (): void => {
      while (left > 0) {
        const part = chunk.subarray(0, Math.min(left, chunk.length))
        left -= part.length
        written += part.length
        if (!response.write(part)) break
      }
      if (left === 0) response.end()
      else response.once('drain', pump)
    }
    pump()
  }
})

after(() => {
  web.stop()
})

async function start(
  t: TestContext,
  version: Version,
  annotations: Readonly<Record<string, string>>,
  options: Readonly<Record<string, string>> = {},
): Promise<{ client: Client; findings: readonly string[] }> {
  written = 0
  const objects = [...webIngress(annotations, options), ...localService('web', web.port)]
  const { plane, findings } = await serve(objects)
  const client = new Client(version, plane.httpPort)
  t.after(async () => {
    client.stop()
    await plane.stop()
  })
  return { client, findings }
}

async function timed(client: Client, bytes: number): Promise<number> {
  const startedAt = performance.now()
  const answer = await client.get('/', { 'x-size': bytes })
  assert.equal(answer.status, 200)
  assert.equal(answer.cut, false)
  assert.equal(answer.body.length, bytes)
  assert.ok(answer.body.toString('latin1').startsWith('abcdefghabcdefgh'))
  assert.equal(answer.body.toString('latin1').replaceAll('abcdefgh', ''), '')
  return performance.now() - startedAt
}

for (const version of versions) {
  test(`${version}: an answer takes its time, whole, and no time limit of the endpoint ends it`, async (t) => {
    const { client } = await start(t, version, { 'limit-rate': '128', 'proxy-read-timeout': '1' })
    assert.ok((await timed(client, 256 * 1024)) > 1500)
  })

  test(`${version}: the first part goes at full speed`, async (t) => {
    const annotations = { 'limit-rate': '8', 'limit-rate-after': '1024' }
    const { client } = await start(t, version, annotations)
    assert.ok((await timed(client, 1024 * 1024)) < 5000)
  })

  test(`${version}: the endpoint is paused while its answer is held`, async (t) => {
    const { client } = await start(t, version, { 'limit-rate': '16' })
    const call = client.call('/', { headers: { 'x-size': 64 * 1024 * 1024 }, bodyless: true })
    call.body.end()
    await call.head
    // Until the buffers between the two are full; then it stands still.
    for (let still = 0, last = -1; still < 20; still = written === last ? still + 1 : 0) {
      last = written
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.ok(written < 16 * 1024 * 1024, `${written} bytes`)
    call.cancel()
    await call.answer
  })
}

test('the ConfigMap limits every route, and an Ingress lifts it', async (t) => {
  const limited = await start(t, 'http1', {}, { 'limit-rate': '128' })
  assert.ok((await timed(limited.client, 128 * 1024)) > 500)
  const free = await start(t, 'http1', { 'limit-rate': '0' }, { 'limit-rate': '1' })
  assert.ok((await timed(free.client, 128 * 1024)) < 5000)
})

test('other policies of the route run as well', async (t) => {
  const { client } = await start(t, 'http1', { 'limit-rate': '128', 'enable-cors': 'true' })
  assert.ok((await timed(client, 128 * 1024)) > 500)
})

test('a bad rate is reported, and there is no limit', async (t) => {
  const { client, findings } = await start(t, 'http1', { 'limit-rate': '10k' })
  assert.deepEqual(findings, ['error annotation-invalid nginx.ingress.kubernetes.io/limit-rate'])
  assert.ok((await timed(client, 256 * 1024)) < 5000)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import { after, test } from 'node:test'
import { Upstream } from '#test/support/http-peers.ts'
import { certificateFor, TestPlane } from '#test/support/plane.ts'
import { issue } from '#test/transport/certificates.ts'

// One certificate covers a.test and b.test; b.test has a client-certificate policy of its own.

const upstream = await Upstream.start('http1')
upstream.listener = (_request, response) => response.end('ok')
const certificate = await certificateFor('a.test', 'b.test', '*.w.test')
const plane = await TestPlane.start({
  upstreams: [upstream.port],
  hosts: ['a.test', 'b.test', 'c.test', 'x.w.test', ''],
  certificate,
  clients: { 'b.test': { ca: (await issue({ commonName: 'CA', ca: true })).certificatePem } },
})
after(async () => {
  await plane.stop()
  upstream.stop()
})

/** Statuses of requests for these hosts, all on one connection that was opened for `serverName`. */
async function statuses(serverName: string, hosts: readonly string[]): Promise<number[]> {
  const session = http2.connect(`https://127.0.0.1:${plane.httpsPort}`, {
    servername: serverName,
    rejectUnauthorized: false,
  })
  const all = await Promise.all(
    hosts.map(async (host) => {
      const stream = session.request({ ':authority': host, ':path': '/' })
      const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpStatusHeader]
      stream.resume()
      return headers[':status'] ?? 0
    }),
  )
  session.destroy()
  return all
}

test('a coalesced connection serves what its certificate covers, and 421 for the rest', async () => {
  const hosts = ['a.test', 'A.test:443', 'x.w.test', 'y.x.w.test', 'w.test', 'c.test', 'unknown']
  assert.deepEqual(await statuses('a.test', hosts), [200, 200, 200, 421, 421, 421, 421])
})

test('a connection verified under another client-certificate policy is no good either', async () => {
  assert.deepEqual(await statuses('a.test', ['a.test', 'b.test', 'a.test']), [200, 421, 200])
  assert.deepEqual(await statuses('b.test', ['b.test', 'a.test']), [200, 421])
})

test('HTTP/1.1 coalesces nothing: only the policy counts', async () => {
  for (const [host, want] of Object.entries({ 'a.test': 200, 'c.test': 200, 'b.test': 421 })) {
    const request = https.get({
      host: '127.0.0.1',
      port: plane.httpsPort,
      servername: 'a.test',
      rejectUnauthorized: false,
      agent: false,
      headers: { host },
    })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    assert.equal(response.statusCode, want, host)
  }
})

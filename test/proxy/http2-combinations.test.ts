import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, Upstream, versions } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'

/** The upstream has written nothing for this long. */
const quietMs = 100

// Every version before the proxy with every version behind it, over real sockets.

for (const down of versions) {
  for (const up of versions) {
    await describe(`${down} to ${up}`, async () => {
      const upstream = await Upstream.start(up)
      const plane = await TestPlane.start({
        upstreams: [upstream.port],
        protocol: up,
        settings: { bodyBytesMax: 64 * 1024 * 1024 },
      })
      const client = new Client(down, plane.httpPort)
      after(async () => {
        client.stop()
        await plane.stop()
        upstream.stop()
      })

      test('a body each way, large enough to fill every window', async () => {
        upstream.listener = (request, response) => {
          response.writeHead(200, { 'x-method': request.method ?? '' })
          request.pipe(response)
        }
        const body = Buffer.alloc(3_000_000, 'abcdefg')
        const call = client.call('/echo?q=1', { method: 'POST' })
        call.body.end(body)
        const answer = await call.answer
        assert.equal(answer.status, 200)
        assert.equal(answer.headers['x-method'], 'POST')
        assert.ok(answer.body.equals(body))
      })

      test('a length is told on either side, and no body is none', async () => {
        upstream.listener = (request, response) => {
          request.resume()
          const length = request.headers['content-length'] ?? 'none'
          const coding = request.headers['transfer-encoding'] ?? 'none'
          response.writeHead(200, { 'content-length': 2, 'x-sent': `${length} ${coding}` })
          response.end('ok')
        }
        const call = client.call('/', { method: 'POST', headers: { 'content-length': 4 } })
        call.body.end('body')
        const answer = await call.answer
        assert.equal(answer.headers['x-sent'], '4 none')
        assert.equal(answer.headers['content-length'], '2')
        const bodyless = await client.get('/')
        assert.equal(bodyless.headers['x-sent'], 'none none')
      })

      test('HEAD, 204 and 304 have no body', async () => {
        upstream.listener = (request, response) => {
          response.writeHead(Number(request.headers['x-want']), { 'x-a': '1' })
          response.end()
        }
        for (const want of [200, 204, 304]) {
          const call = client.call('/', {
            method: 'HEAD',
            bodyless: true,
            headers: { 'x-want': String(want) },
          })
          call.body.end()
          const answer = await call.answer
          assert.deepEqual([answer.status, answer.body.length, answer.cut], [want, 0, false])
        }
        const { status, body } = await client.get('/', { 'x-want': '204' })
        assert.deepEqual([status, body.length], [204, 0])
      })

      test('trailers both ways', async () => {
        upstream.listener = (request, response) => {
          response.writeHead(200, { trailer: 'x-sum' })
          request.on('data', (chunk: Buffer) => response.write(chunk))
          request.on('end', () => {
            response.addTrailers({ 'x-sum': String(request.trailers['x-in']) })
            response.end()
          })
        }
        const call = client.call('/', {
          method: 'POST',
          headers: { te: 'trailers', ...(down === 'http1' ? { connection: 'te' } : {}) },
          trailers: { 'x-in': 'seven' },
        })
        call.body.write('some')
        call.body.end('thing')
        const answer = await call.answer
        assert.equal(answer.body.toString(), 'something')
        assert.equal(answer.trailers['x-sum'], 'seven')
      })

      test('an early answer ends a request that is still being sent', async () => {
        upstream.listener = (_request, response) => {
          response.writeHead(413, { 'content-length': 3 })
          response.end('big')
        }
        const call = client.call('/', { method: 'POST' })
        call.body.on('error', () => undefined)
        call.body.write('x'.repeat(1000))
        const answer = await call.answer
        assert.equal(answer.status, 413)
        assert.equal(answer.body.toString(), 'big')
        upstream.listener = (_request, response) => response.end('next')
        assert.equal((await client.get('/')).body.toString(), 'next')
      })

      test('an answer that begins before the request ends goes both ways at once', async () => {
        upstream.listener = (request, response) => {
          response.writeHead(200)
          response.write('hello ')
          request.on('data', (chunk: Buffer) => response.write(chunk))
          request.on('end', () => response.end('!'))
        }
        const call = client.call('/', { method: 'POST' })
        call.body.write('a')
        assert.equal(await call.head, 200)
        call.body.write('b')
        call.body.end('c')
        assert.equal((await call.answer).body.toString(), 'hello abc!')
      })

      test('a reset amid the answer cuts it on the other side, and nothing else', async () => {
        upstream.listener = (request, response) => {
          if (request.url === '/good') response.end('good')
          else {
            response.writeHead(200)
            response.write('half')
            setImmediate(() => response.destroy())
          }
        }
        const [bad, good] = await Promise.all([client.get('/bad'), client.get('/good')])
        assert.ok(bad.cut)
        assert.equal(good.body.toString(), 'good')
      })

      test('a reset before the answer is a 502', async () => {
        upstream.listener = (request) => {
          if ('stream' in request) request.stream.close(2)
          else request.destroy()
        }
        const call = client.call('/', { method: 'POST' })
        call.body.end('x')
        assert.equal((await call.answer).status, 502)
      })

      test('a client that goes away is noticed by the upstream', async () => {
        const began = Promise.withResolvers<void>()
        const gone = Promise.withResolvers<void>()
        upstream.listener = (request, response) => {
          request.on('error', () => undefined)
          response.on('close', gone.resolve)
          began.resolve()
        }
        const call = client.call('/', { method: 'POST' })
        call.body.on('error', () => undefined)
        call.body.write('x')
        await began.promise
        call.cancel()
        await gone.promise
      })

      test('Expect: 100-continue crosses, and so does a refusal', async () => {
        upstream.listener = (request, response) => {
          request.resume()
          request.on('end', () => response.end('taken'))
        }
        const headers = { expect: '100-continue' }
        const call = client.call('/', { method: 'POST', headers })
        if ('flushHeaders' in call.body) call.body.flushHeaders()
        await once(call.body, 'continue')
        call.body.end('body')
        const answer = await call.answer
        assert.deepEqual([answer.status, answer.body.toString()], [200, 'taken'])
        upstream.onExpect = (_request, response) => {
          response.writeHead(417, { 'content-length': 0 })
          response.end()
        }
        const refused = client.call('/', { method: 'POST', headers })
        refused.body.on('error', () => undefined)
        if ('flushHeaders' in refused.body) refused.body.flushHeaders()
        assert.equal((await refused.answer).status, 417)
        upstream.onExpect = undefined
      })

      test('early hints come before the answer', async () => {
        upstream.listener = (_request, response) => {
          response.writeEarlyHints({ link: '</a.css>; rel=preload' })
          setImmediate(() => response.end('late'))
        }
        const answer = await client.get('/')
        assert.deepEqual(answer.interims, [103])
        assert.equal(answer.body.toString(), 'late')
      })

      test('cookies arrive as one field, several Set-Cookie as several', async () => {
        upstream.listener = (request, response) => {
          response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] })
          response.end(request.headers.cookie)
        }
        const cookie = down === 'http2' ? ['x=1', 'y=2'] : 'x=1; y=2'
        const answer = await client.get('/', { cookie })
        assert.equal(answer.body.toString(), 'x=1; y=2')
        assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
      })

      test('a hundred requests at once each get their own answer', async () => {
        upstream.listener = (request, response) => {
          const chunks: Buffer[] = []
          request.on('data', (chunk: Buffer) => chunks.push(chunk))
          request.on('end', () => response.end(`${request.url} ${Buffer.concat(chunks).length}`))
        }
        const answers = await Promise.all(
          Array.from({ length: 100 }, async (_, i) => {
            const call = client.call(`/${i}`, { method: 'PUT' })
            call.body.end('x'.repeat(i * 300))
            return (await call.answer).body.toString()
          }),
        )
        assert.deepEqual(
          answers,
          Array.from({ length: 100 }, (_, i) => `/${i} ${i * 300}`),
        )
      })

      test('a reader that does not read stops the upstream, and loses nothing', async () => {
        const size = 24 * 1024 * 1024
        let written = 0
        upstream.listener = (_request, response) => {
          response.writeHead(200, { 'content-length': size })
          const chunk = Buffer.alloc(64 * 1024, 'z')
          const more = (): void => {
            while (written < size) {
              written += chunk.length
              if (!response.write(chunk)) {
                response.once('drain', more)
                return
              }
            }
            response.end()
          }
          more()
        }
        const call = client.call('/', { bodyless: true, paused: true })
        call.body.end()
        assert.equal(await call.head, 200)
        for (let seen = -1; seen !== written; await pause(quietMs)) seen = written
        assert.ok(written < size, `${written} bytes went to a client that reads none`)
        call.resume()
        const { body, cut } = await call.answer
        assert.deepEqual([body.length, cut], [size, false])
      })
    })
  }
}

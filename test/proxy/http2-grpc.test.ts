import assert from 'node:assert/strict'
import http2 from 'node:http2'
import { after, test } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { parseGrpcTimeout } from '#src/proxy/grpc-deadline.ts'
import { defaultRouteSettings } from '#src/table/defaults.ts'
import type { RouteSettings } from '#src/table/table.ts'
import { readAll, startGrpcServer, WordsClient } from '#test/support/grpc-peers.ts'
import type { Words } from '#test/support/grpc-peers.ts'
import { Upstream } from '#test/support/http-peers.ts'
import { certificateFor, TestPlane } from '#test/support/plane.ts'
import { clientOf } from '#test/transport/tls-sites.ts'

// Clients and servers of @grpc/grpc-js with the proxy between them.

const certificate = await certificateFor('app.test')
const stops: (() => void | Promise<void>)[] = []
after(async () => {
  for (const stop of stops.toReversed()) await stop()
})

/** A client before the proxy before these servers. */
async function between(
  servers: readonly Partial<Words>[],
  settings: Partial<RouteSettings> = {},
): Promise<{ plane: TestPlane; client: WordsClient; servers: grpc.Server[] }> {
  const started = await Promise.all(servers.map(async (own) => await startGrpcServer(own)))
  const plane = await TestPlane.start({
    upstreams: started.map(({ port }) => port),
    protocol: 'http2',
    settings: { bodyBytesMax: 0, ...settings },
    certificate,
  })
  const client = new WordsClient(plane.httpPort)
  stops.push(
    () => started.forEach(({ server }) => server.forceShutdown()),
    async () => await plane.stop(),
    () => client.close(),
  )
  return { plane, client, servers: started.map(({ server }) => server) }
}

const retried: Partial<RouteSettings> = {
  retry: { ...defaultRouteSettings.retry, onStatuses: [503], nonIdempotent: true },
}

/** A server that is UNAVAILABLE, and how often it was asked. */
function unavailable(): { own: Partial<Words>; asked: () => number } {
  let count = 0
  const error = { code: grpc.status.UNAVAILABLE, details: 'not now' }
  const own: Partial<Words> = {
    one: (_call, done) => {
      count++
      done(error)
    },
    repeat: (call) => {
      count++
      call.write('first')
      call.emit('error', error)
    },
  }
  return { own, asked: () => count }
}

test('unary, over h2c and TLS', async () => {
  const { plane, client } = await between([{}])
  const outcome = await client.one('hello')
  assert.deepEqual([outcome.code, outcome.messages], [grpc.status.OK, ['HELLO']])
  const credentials = grpc.credentials.createSsl(Buffer.from(certificate.certificatePem))
  const secure = new WordsClient(plane.httpsPort, credentials, {
    'grpc.ssl_target_name_override': 'app.test',
  })
  stops.push(() => secure.close())
  assert.deepEqual((await secure.one('again')).messages, ['AGAIN'])
})

test('a hundred calls at once, with messages larger than a window', async () => {
  const { client } = await between([{}])
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => await client.one(`w${i}`.repeat(i * 300 + 1))),
  )
  assert.deepEqual(
    outcomes.map(({ messages }) => messages[0]?.length),
    Array.from({ length: 100 }, (_, i) => `w${i}`.length * (i * 300 + 1)),
  )
  const { messages } = await client.one('x'.repeat(3_000_000))
  assert.equal(messages[0]?.length, 3_000_000)
})

test('client, server and bidirectional streaming', async () => {
  const { client } = await between([{}])
  assert.deepEqual((await client.collect(['a', 'b', 'c'])).messages, ['a b c'])
  const read = await readAll(client.repeat(500))
  assert.deepEqual([read.code, read.messages.length], [grpc.status.OK, 500])
  const chat = client.chat()
  const outcome = readAll(chat)
  for (const word of ['one', 'two', 'three']) {
    chat.write(word)
    // Each answer comes while the request goes on.
    await new Promise((resolve) => chat.once('data', resolve))
  }
  chat.end()
  const { code, messages } = await outcome
  assert.deepEqual([code, messages], [grpc.status.OK, ['one!', 'two!', 'three!']])
})

test('every kind of call to a server over TLS', async () => {
  const { certificatePem, keyPem } = await certificateFor('words.test')
  const pair = { cert_chain: Buffer.from(certificatePem), private_key: Buffer.from(keyPem) }
  const credentials = grpc.ServerCredentials.createSsl(null, [pair])
  const { port, server } = await startGrpcServer({}, credentials)
  stops.push(() => server.forceShutdown())
  for (const protocol of ['http2', 'auto'] as const) {
    const alpn = protocol === 'auto' ? ['h2', 'http/1.1'] : ['h2']
    const plane = await TestPlane.start({
      upstreams: [port],
      protocol,
      upstreamTls: clientOf({
        serverName: 'words.test',
        sendServerName: true,
        ca: certificatePem,
        verifyDepth: 1,
        alpn,
      }),
    })
    const client = new WordsClient(plane.httpPort)
    stops.push(
      async () => await plane.stop(),
      () => client.close(),
    )
    assert.deepEqual((await client.one('hello')).messages, ['HELLO'])
    assert.deepEqual((await client.collect(['a', 'b'])).messages, ['a b'])
    assert.equal((await readAll(client.repeat(50))).messages.length, 50)
    const chat = client.chat()
    const outcome = readAll(chat)
    chat.write('one')
    await new Promise((resolve) => chat.once('data', resolve))
    chat.end()
    assert.deepEqual((await outcome).messages, ['one!'])
  }
})

test('an error of the server arrives with its details and its trailers', async () => {
  const metadata = new grpc.Metadata()
  metadata.set('x-why-bin', Buffer.from([0, 1, 254]))
  const { client } = await between([
    { one: (_call, done) => done({ code: grpc.status.NOT_FOUND, details: 'no ünit', metadata }) },
  ])
  const { code, details, trailers } = await client.one('x')
  assert.deepEqual([code, details], [grpc.status.NOT_FOUND, 'no ünit'])
  assert.deepEqual(trailers.get('x-why-bin'), [Buffer.from([0, 1, 254])])
})

test('our own errors are gRPC statuses', async () => {
  const { plane, client } = await between([{}], { bodyBytesMax: 1000 })
  assert.equal((await client.one('x'.repeat(2000))).code, grpc.status.RESOURCE_EXHAUSTED)
  await plane.apply([])
  const { code, details } = await client.one('x')
  assert.deepEqual([code, details], [grpc.status.UNAVAILABLE, '503 Service Unavailable'])
  await plane.apply([1])
  assert.equal((await client.one('x')).code, grpc.status.UNAVAILABLE)
})

test('a cancelled call is cancelled at the server', async () => {
  const began = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<void>()
  const { client } = await between([
    {
      repeat: (call) => {
        call.on('cancelled', cancelled.resolve)
        call.write('word')
        began.resolve()
      },
    },
  ])
  const call = client.repeat(1)
  const outcome = readAll(call)
  await began.promise
  call.cancel()
  await cancelled.promise
  assert.equal((await outcome).code, grpc.status.CANCELLED)
})

test('grpc-timeout: a number of eight digits at most, and a unit', () => {
  const good = {
    '1H': 3_600_000,
    '2M': 120_000,
    '3S': 3000,
    '4m': 4,
    '5000u': 5,
    '6000000n': 6,
    '0m': 0,
  }
  for (const [text, ms] of Object.entries(good)) assert.equal(parseGrpcTimeout(text), ms, text)
  assert.equal(parseGrpcTimeout('99999999H'), 2_147_483_647)
  for (const text of ['', 'm', '1', '1s', '-1m', '1.5S', ' 1m', '1e3m', '123456789m']) {
    assert.equal(parseGrpcTimeout(text), undefined, text)
  }
})

test('a deadline of the client ends the call at the server', async () => {
  const cancelled = Promise.withResolvers<void>()
  const { client } = await between([{ one: (call) => call.on('cancelled', cancelled.resolve) }])
  const { code } = await client.one('x', { deadline: Date.now() + 150 })
  assert.equal(code, grpc.status.DEADLINE_EXCEEDED)
  await cancelled.promise
})

/** A call of a client that leaves its deadline to us. */
async function rawCall(port: number, timeout: string): Promise<Record<string, unknown>> {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Words/One',
    ':authority': 'app.test',
    'content-type': 'application/grpc+proto',
    te: 'trailers',
    'grpc-timeout': timeout,
  })
  let seen: Record<string, unknown> = {}
  const note = (headers: object): void => {
    seen = { ...seen, ...headers }
  }
  stream.on('response', note)
  stream.on('trailers', note)
  stream.on('error', () => undefined)
  stream.resume()
  stream.end(Buffer.from([0, 0, 0, 0, 0]))
  await new Promise((resolve) => stream.once('close', resolve))
  session.destroy()
  return seen
}

test('a deadline that neither client nor server keeps is kept by us', async () => {
  const upstream = await Upstream.start('http2')
  const plane = await TestPlane.start({ upstreams: [upstream.port], protocol: 'http2' })
  stops.push(
    () => upstream.stop(),
    async () => await plane.stop(),
  )
  const resets: number[] = []
  upstream.listener = (request, response) => {
    request.on('error', () => undefined)
    if ('stream' in request) request.stream.on('close', () => resets.push(request.stream.rstCode))
    request.resume()
    if (request.headers['grpc-timeout'] === '101m') {
      response.writeHead(200, { 'content-type': 'application/grpc' })
      response.write('half')
    }
  }
  const silent = await rawCall(plane.httpPort, '100m')
  assert.deepEqual([silent[':status'], silent['grpc-status']], [200, '4'])
  const begun = await rawCall(plane.httpPort, '101m')
  assert.deepEqual([begun[':status'], begun['grpc-status']], [200, '4'])
  assert.deepEqual(resets, [8, 8])
})

test('UNAVAILABLE is tried elsewhere when the route allows it', async () => {
  const [bad, good] = [unavailable(), { one: 0 }]
  const counting: Partial<Words> = {
    one: (_call, done) => {
      good.one++
      done(null, 'good')
    },
  }
  const { client } = await between([bad.own, counting], retried)
  for (let i = 0; i < 6; i++) assert.deepEqual((await client.one('x')).messages, ['good'])
  assert.ok(bad.asked() > 0)
  assert.equal(good.one, 6)
})

test('UNAVAILABLE is passed on when the route does not ask for retries', async () => {
  const [first, second] = [unavailable(), unavailable()]
  const { client } = await between([first.own, second.own])
  const { code, details } = await client.one('x')
  assert.deepEqual([code, details], [grpc.status.UNAVAILABLE, 'not now'])
  assert.equal(first.asked() + second.asked(), 1)
})

test('a call is never repeated after a message of its answer', async () => {
  const [first, second] = [unavailable(), unavailable()]
  const { client } = await between([first.own, second.own], retried)
  const { code, messages } = await readAll(client.repeat(1))
  assert.deepEqual([code, messages], [grpc.status.UNAVAILABLE, ['first']])
  assert.equal(first.asked() + second.asked(), 1)
})

test('a server that shuts down loses no call', async () => {
  const { client, servers } = await between([{}, {}])
  const outcomes: Promise<unknown>[] = []
  for (let i = 0; i < 60; i++) {
    if (i === 20) servers[0]?.tryShutdown(() => undefined)
    outcomes.push(client.one(`w${i}`).then(({ messages }) => assert.deepEqual(messages, [`W${i}`])))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(outcomes)
})

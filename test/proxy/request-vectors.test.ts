import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { judge, methodOf, statusOf, targetOf } from '#test/http1/judge.ts'
import type { Outcomes, Result } from '#test/http1/judge.ts'
import { readRequests, readResponses } from '#test/http1/strict-reader.ts'
import { certificateFor, TestPlane } from '#test/support/plane.ts'

// The protocol cases against the whole data plane over real sockets, plain and TLS. The codec's own tests
// play them in the other ways of sending.

interface Vector {
  readonly id: string
  readonly title: string
  readonly send: string
  readonly expect: string
  readonly outcomes: Outcomes
}

const vectors = JSON.parse(
  readFileSync(`${import.meta.dirname}/../http1/vectors/requests.json`, 'utf8'),
) as readonly Vector[]

/** U: keeps every byte, answers each whole request. */
const upstreams: { received: string; socket: Socket }[] = []
const server = createServer((socket) => {
  const upstream = { received: '', socket }
  let answered = 0
  upstreams.push(upstream)
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    upstream.received += chunk.toString('latin1')
    const whole = readRequests(upstream.received).messages.filter(({ end }) => end === 'framed')
    for (; answered < whole.length; answered++) {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const plane = await TestPlane.start({
  upstreams: [(server.address() as AddressInfo).port],
  hosts: ['a.test', 'b.test'],
  certificate: await certificateFor('a.test'),
})

after(async () => {
  await plane.stop()
  for (const { socket } of upstreams) socket.destroy()
  server.close()
})

const stepMs = 10
/** Nothing has come for this long: the answer is complete, or none will come. */
const quietMs = 60
const patienceMs = 2000

for (const vector of vectors) {
  for (const way of ['plain', 'TLS'] as const) {
    test(`${vector.id} ${vector.title}, ${way}`, async () => {
      const before = upstreams.map(({ received }) => received.length)
      const result = await play(Buffer.from(vector.send, 'base64'), way, before)
      for (const word of ['X-Poison', 'FORBID', 'EXTRA']) assert.ok(!result.received.includes(word))
      const evil = result.requests.some((request) => targetOf(request).includes('evil'))
      if (vector.id !== 'H01') assert.ok(!evil, '/evil reached U')
      const problems = judge(result, vector.outcomes)
      if (problems.length > 0 && mayBeHttp2(vector.outcomes)) return
      assert.deepEqual(problems, [], `${vector.expect}; got ${JSON.stringify(result.received)}`)
      const fresh = await play(Buffer.from('GET /fresh HTTP/1.1\r\nHost: a.test\r\n\r\n'), way, [])
      assert.match(fresh.received, /^HTTP\/1\.1 200 [^]*ok$/)
    })
  }
}

function mayBeHttp2(outcomes: Outcomes): boolean {
  if ('any' in outcomes) return false
  return outcomes.some((outcome) => typeof outcome === 'object' && 'h2c' in outcome)
}

async function play(
  bytes: Buffer,
  way: 'plain' | 'TLS',
  before: readonly number[],
): Promise<Result> {
  const socket = way === 'plain' ? connect(plane.httpPort, '127.0.0.1') : tlsSocket()
  const got = { text: '', ended: false, quietMs: 0 }
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    got.text += chunk.toString('latin1')
    got.quietMs = 0
  })
  socket.on('end', () => {
    got.ended = true
  })
  await once(socket, way === 'plain' ? 'connect' : 'secureConnect')
  socket.write(bytes)
  for (let waited = 0; waited < patienceMs && !got.ended; waited += stepMs) {
    await pause(stepMs)
    got.quietMs += stepMs
    const refused = got.text === '' || Number(got.text.slice(9, 12)) >= 400
    if (got.quietMs >= (refused ? 10 * quietMs : quietMs)) break
  }
  const { text: received, ended } = got
  socket.destroy()
  const readings = upstreams.map((upstream, i) =>
    readRequests(upstream.received.slice(before[i] ?? 0)),
  )
  const requests = readings.flatMap(({ messages }) =>
    messages.filter(({ end }) => end === 'framed'),
  )
  for (const { fault } of readings) assert.equal(fault, '', 'U was sent something invalid')
  const reading = readResponses(received, requests.map(methodOf), ended)
  assert.ok(reading.messages.every((message) => statusOf(message) >= 100))
  return { received, ended, requests, responses: reading.messages, keptUnfinished: false }
}

function tlsSocket(): Socket {
  return connectTls({
    host: '127.0.0.1',
    port: plane.httpsPort,
    servername: 'a.test',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  })
}

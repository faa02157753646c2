import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { preface } from '#src/http2/protocol.ts'
import { FrameLog, settings, settingsAck } from '#test/http2/support/frames.ts'
import { bytesOf, meets, outcomesOf, vectors } from '#test/http2/support/vectors.ts'
import type { PlayedRequest, Vector } from '#test/http2/support/vectors.ts'
import { certificateFor, TestPlane } from '#test/support/plane.ts'

// The protocol cases against the whole data plane over real sockets, h2c and TLS, before an HTTP/1.1 upstream.

type Mutable = { -readonly [Key in keyof PlayedRequest]: PlayedRequest[Key] } & { target: string }

let requests: Mutable[] = []
let hold = false
const upstream = http.createServer((request, response) => {
  const te = request.headers['te'] === 'trailers'
  const one: Mutable = {
    target: request.url ?? '',
    fields: request.rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text)),
    body: '',
    trailers: undefined,
    ended: false,
    resetReason: '',
    acceptsTrailers: te,
  }
  requests.push(one)
  request.on('data', (chunk: Buffer) => (one.body += chunk.toString('latin1')))
  request.on('error', () => undefined)
  request.on('end', () => {
    one.ended = true
    one.trailers = request.rawTrailers.map((text) => text.toLowerCase())
    if (!hold) response.end('ok')
  })
  response.on('close', () => {
    if (!one.ended) one.resetReason = 'gone'
  })
})
upstream.listen(0, '127.0.0.1')
await once(upstream, 'listening')
const plane = await TestPlane.start({
  upstreams: [(upstream.address() as AddressInfo).port],
  certificate: await certificateFor('a.test'),
})

after(async () => {
  upstream.closeAllConnections()
  upstream.close()
  await plane.stop()
})

const ways = ['http', 'https'] as const
const stepMs = 10
const patienceMs = 3000

for (const vector of vectors) {
  for (const scheme of ways) {
    test(`${vector.id} ${vector.title}, ${scheme}`, async () => {
      for (let round = 0; round < (vector.times ?? 1); round++) await play(vector, scheme)
    })
  }
}

function open(scheme: 'http' | 'https'): Socket {
  if (scheme === 'http') return connect(plane.httpPort, '127.0.0.1')
  const options = { servername: 'a.test', rejectUnauthorized: false, ALPNProtocols: ['h2'] }
  return connectTls({ host: '127.0.0.1', port: plane.httpsPort, ...options })
}

async function play(vector: Vector, scheme: 'http' | 'https'): Promise<void> {
  requests = []
  const mine = requests
  hold = vector.expect.includes('limit')
  const socket = open(scheme)
  const chunks: Buffer[] = []
  let ended = false
  socket.on('error', () => (ended = true))
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('close', () => (ended = true))
  socket.on('end', () => (ended = true))
  await once(socket, scheme === 'http' ? 'connect' : 'secureConnect')
  const frames = vector.frames.map((one) => bytesOf(one, scheme))
  socket.write(Buffer.concat([preface, settings(), settingsAck, ...frames]))
  let found = new Set<string>()
  const isMet = (): boolean => {
    const log = new FrameLog()
    log.add(Buffer.concat(chunks))
    const played = { log, ended, requests: mine }
    found = outcomesOf(played, vector)
    return vector.expect.some((expected) => meets(expected, played, found))
  }
  let met = isMet()
  for (let waited = 0; waited < patienceMs && !met; waited += stepMs) {
    await pause(stepMs)
    met = isMet()
  }
  socket.destroy()
  assert.ok(met, `${[...found].join(', ')}; ${JSON.stringify(mine.slice(0, 3))}`)
  if (vector.maxUp !== undefined) assert.ok(mine.length <= vector.maxUp)
  assert.ok(mine.every(({ target }) => target !== '/evil'))
}

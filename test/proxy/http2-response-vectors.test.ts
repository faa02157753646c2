import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { after, test } from 'node:test'
import { Client } from '#test/support/http-peers.ts'
import type { Answer } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'

// The response cases of HTTP/1.1 upstreams as an HTTP/2 client sees them.

interface Vector {
  readonly id: string
  readonly title: string
  readonly request: string
  readonly reply: string
  readonly then: 'keep' | 'fin' | 'rst' | 'hang' | 'late-poison'
  readonly expect: string
  readonly outcomes: {
    /** A status, `ok` or `ok:text` for the upstream's own answer, or `abort`. */
    readonly any: readonly (string | number)[]
    readonly interims?: readonly number[]
    readonly nowhere?: string
    readonly hasnt?: readonly string[]
  }
}

const vectors = JSON.parse(
  readFileSync(`${import.meta.dirname}/../http1/vectors/responses.json`, 'utf8'),
) as readonly Vector[]

let current: Vector
const sockets = new Set<Socket>()
const server = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => undefined)
  let head = ''
  socket.on('data', (chunk) => {
    head += chunk.toString('latin1')
    if (!head.endsWith('\r\n\r\n')) return
    const fresh = head.includes(' /fresh ')
    head = ''
    if (fresh) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfresh')
    else {
      socket.write(Buffer.from(current.reply, 'base64'), () => {
        act(socket)
      })
    }
  })
})

/** What U does after the reply. */
function act(socket: Socket): void {
  if (current.then === 'fin') socket.end()
  else if (current.then === 'rst') socket.resetAndDestroy()
  else if (current.then === 'late-poison') {
    setImmediate(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'))
  }
}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
const plane = await TestPlane.start({
  upstreams: [(server.address() as AddressInfo).port],
  settings: { readTimeoutMs: 400 },
})
const client = new Client('http2', plane.httpPort)
after(async () => {
  client.stop()
  for (const socket of sockets) socket.destroy()
  server.close()
  await plane.stop()
})

for (const vector of vectors) {
  test(`${vector.id} ${vector.title}`, async () => {
    current = vector
    const { any, interims, nowhere, hasnt = [] } = vector.outcomes
    const call = client.call('/x', { method: vector.request, bodyless: true })
    call.body.end()
    const answer = await call.answer
    const shown = `${vector.expect}; got ${answer.status} ${answer.body.toString()} cut ${answer.cut}`
    assert.ok(
      any.some((outcome) => isOutcome(answer, outcome)),
      shown,
    )
    if (interims !== undefined) assert.deepEqual(answer.interims, interims, shown)
    for (const name of hasnt) assert.equal(answer.headers[name.toLowerCase()], undefined, shown)
    const all = JSON.stringify(answer.headers) + answer.body.toString('latin1')
    if (nowhere !== undefined) assert.ok(!all.includes(nowhere), shown)
    const fresh = await client.get('/fresh')
    assert.deepEqual([fresh.status, fresh.body.toString()], [200, 'fresh'])
  })
}

function isOutcome({ status, body, cut }: Answer, outcome: string | number): boolean {
  if (typeof outcome === 'number') return status === outcome && !cut
  if (outcome === 'abort') return cut
  const [, text = 'ok'] = outcome.split(':')
  return status < 400 && status >= 200 && !cut && body.toString() === text
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Peer } from '#src/exchange/streams.ts'
import { Http1ServerSession } from '#src/http1/server-session.ts'
import type { Connection, ConnectionHandler } from '#src/transport/transport.ts'
import { serverOptions } from './relay.ts'
import { ScriptedServer } from './scripted.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** A connection that takes everything and keeps nothing. */
class Sink implements Connection {
  handler: ConnectionHandler = undefined as never
  readonly peer: Peer
  readonly backedUp = false

  constructor(peer: Peer) {
    this.peer = peer
  }
  writeText(): boolean {
    return true
  }
  writeLater(): void {}
  writeBytes(): boolean {
    return true
  }
  pause(): void {}
  resume(): void {}
  setBulk(): void {}
  end(): void {}
  destroy(): void {}
  reset(): void {}
}

const peer: Peer = {
  address: '198.51.100.7',
  port: 1,
  localAddress: '192.0.2.1',
  localPort: 80,
  socketAddress: '198.51.100.7',
  scheme: 'http',
  tls: undefined,
}

/** Sessions in numbers, each having got these bytes. */
function openSessions(server: ScriptedServer, count: number, text: string): Http1ServerSession[] {
  const bytes = Buffer.from(text, 'latin1')
  return Array.from({ length: count }, () => {
    const session = new Http1ServerSession(new Sink(peer), server.context)
    session.start()
    session.onData(bytes, 0, bytes.length)
    return session
  })
}

/** Bytes of heap and of buffers outside it that `make` adds and that stay. */
function memoryOf(make: () => object): { heap: number; buffers: number; kept: object } {
  collectGarbage()
  const before = process.memoryUsage()
  const kept = make()
  collectGarbage()
  const after = process.memoryUsage()
  return {
    heap: after.heapUsed - before.heapUsed,
    buffers: after.arrayBuffers - before.arrayBuffers,
    kept,
  }
}

test('an idle session is small and holds no buffer', () => {
  const server = new ScriptedServer()
  server.answerAll('ok')
  const count = 10_000
  const get = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'
  openSessions(server, 100, get)
  const { heap, buffers } = memoryOf(() => {
    const sessions = openSessions(server, count, get)
    server.requests.length = 0
    return sessions
  })
  assert.ok(heap / count < 2048, `${heap / count} bytes of heap a session`)
  assert.ok(buffers / count < 1, `${buffers} bytes of buffers`)
})

test('a slow head holds what came of it, and never more than it may be', () => {
  const server = new ScriptedServer()
  for (const [bytes, limit] of [
    [100, 2048],
    [31 * 1024, 36 * 1024],
  ] as const) {
    const text = `GET / HTTP/1.1\r\nHost: a.test\r\nX: ${'x'.repeat(bytes)}`
    const count = 200
    const { heap, buffers } = memoryOf(() => openSessions(server, count, text))
    const each = (heap + buffers) / count
    assert.ok(each < limit, `${each} bytes for a head of which ${bytes} came`)
  }
})

test('bytes that come early hold one read at most', () => {
  const server = new ScriptedServer()
  const [client, accepted] = server.connect()
  server.send(client, 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
  server.send(client, 'x'.repeat(1024 * 1024))
  assert.equal(accepted.reading, false)
  assert.ok(accepted.unread >= 1024 * 1024 - 64 * 1024, `${accepted.unread} bytes unread`)
})

test('the work for a head does not depend on how it is cut', () => {
  const bytesMax = 512 * 1024
  const options = { ...serverOptions, requestHeadBytesMax: bytesMax, requestLineBytesMax: bytesMax }
  const text = `GET /${'x'.repeat(bytesMax - 100)} HTTP/1.1\r\nHost: a.test\r\n\r\n`
  const server = new ScriptedServer(options)
  const session = new Http1ServerSession(new Sink(peer), server.context)
  session.start()
  const bytes = Buffer.from(text, 'latin1')
  const start = process.cpuUsage()
  for (let i = 0; i < bytes.length; i++) session.onData(bytes, i, i + 1)
  const milliseconds = process.cpuUsage(start).user / 1000
  assert.equal(server.requests.length, 1)
  // Half a million calls; were each to look at all that came before, it would be minutes.
  assert.ok(milliseconds < 5000, `${milliseconds} ms`)
})

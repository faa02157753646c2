import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BulkBuffers, isShared, sharedReadBuffer } from '#src/transport/raw/read-buffers.ts'
import {
  beginningOf,
  lendWriteBuffer,
  takeBackWriteBuffer,
  writeBuffer,
} from '#src/transport/raw/write-buffers.ts'
import { RawTransport } from '#src/transport/raw.ts'
import type { Connection } from '#src/transport/transport.ts'
import { digest, finish, send, waitUntil } from './contract-streams.ts'
import { Recorder, connectPair, listenFor, pattern, socketTest } from './recorder.ts'

const transport = new RawTransport()
const megabyte = 1024 * 1024

socketTest(
  'an answer that came before the reset is read, though writing failed meanwhile',
  async () => {
    const { client, server } = await connectPair(transport)
    // The server refuses an upload: it answers, closes without having read, and so resets.
    const answer = pattern(100_000, 1)
    const upload = pattern(10 * megabyte, 2)
    client.call((connection) => connection.writeBytes('', upload, 0, upload.length))
    server.connection?.writeBytes('413', answer, 0, answer.length)
    await waitUntil(() => server.connection?.backedUp === false)
    server.connection?.destroy()
    await server.until((end) => end.closed !== undefined)
    client.connection?.resume()
    await client.until((end) => end.closed !== undefined)
    assert.equal(client.text.slice(0, 3), '413')
    assert.equal(digest(client.content.subarray(3)), digest(answer))
    assert.equal(client.closed, 'reset')
    assert.equal(client.ended, false, 'a cut stream must not look complete')
    assert.deepEqual(client.faults, [])
  },
)

socketTest('an owner that heeds no backpressure is cut off', async () => {
  const { client, server } = await connectPair(transport)
  const body = pattern(megabyte, 3)
  let writes = 0
  client.call((connection) => {
    while (!connectionGone(connection) && writes < 100) {
      connection.writeBytes('x', body, 0, body.length)
      writes++
    }
  })
  await client.until((end) => end.closed !== undefined)
  assert.equal(client.closed, 'error')
  assert.match(client.connection?.problem ?? '', /bytes wait/)
  assert.ok(writes < 40, `${writes} MB were taken`)
  assert.deepEqual(client.faults, [])
  server.connection?.destroy()
  await server.until((end) => end.closed !== undefined)
})

function connectionGone(connection: Connection): boolean {
  return connection.problem !== ''
}

socketTest('plain reads come in the shared buffer, bulk reads in one of their own', async () => {
  const { client, server } = await connectPair(transport)
  const kinds: boolean[] = []
  const connection = server.connection as Connection
  let expected = 0
  connection.handler = {
    onData(buffer, _start, end) {
      kinds.push(isShared(buffer))
      server.bytes += end
      if (kinds.length === 1) connection.setBulk(true)
      if (kinds.length === 3) connection.setBulk(false)
      if (server.bytes < expected) return
      if (kinds.length < 5) client.connection?.writeText('x')
      expected++
    },
    onEnd: () => {
      connection.end()
    },
    onDrain: () => undefined,
    onClose: (reason) => {
      server.onClose(reason)
    },
  }
  connection.resume()
  expected = 1
  client.connection?.writeText('x')
  await waitUntil(() => kinds.length === 5)
  assert.deepEqual(kinds, [true, false, false, true, true])
  await finish(client, server)
})

socketTest('half a million bytes in bulk come in few reads', async () => {
  const { client, server } = await connectPair(transport)
  const connection = server.connection as Connection
  connection.setBulk(true)
  let largest = 0
  server.react = (event) => {
    if (event !== 'data') return
    largest = Math.max(largest, server.content.length - server.drains)
    server.drains = server.content.length
  }
  connection.resume()
  send(client, pattern(4 * megabyte, 4))
  await server.until((end) => end.ended)
  assert.ok(largest > 64 * 1024, `largest read ${largest}`)
  await finish(client, server)
})

test('bulk buffers are never in two hands, and never more than allowed', () => {
  const step = fc.record({
    action: fc.constantFrom('take', 'release', 'write', 'written'),
    which: fc.nat(7),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const buffers = new BulkBuffers(4, 16)
      const readers: Buffer[] = []
      const writes: Buffer[] = []
      for (const { action, which } of steps) {
        const reader = readers[which % Math.max(1, readers.length)]
        if (action === 'take') {
          const buffer = buffers.take()
          if (buffer === undefined) {
            assert.equal(new Set([...readers, ...writes]).size, 4)
            continue
          }
          assert.ok(!readers.includes(buffer) && !writes.includes(buffer))
          readers.push(buffer)
        } else if (action === 'release' && reader !== undefined) {
          readers.splice(readers.indexOf(reader), 1)
          buffers.release(reader)
        } else if (action === 'write' && reader !== undefined) {
          writes.push(reader)
          buffers.writeBegins(reader.subarray(3, 9))
        } else if (action === 'written' && writes.length > 0) {
          buffers.writeEnds(writes.splice(which % writes.length, 1)[0] as Buffer)
        }
        assert.equal(buffers.inUse, new Set([...readers, ...writes]).size)
      }
    }),
  )
})

test('memory of others is none of the bulk buffers', () => {
  const buffers = new BulkBuffers(1, 16)
  const other = Buffer.alloc(16)
  buffers.writeBegins(other)
  buffers.writeEnds(other)
  buffers.release(other)
  assert.equal(buffers.inUse, 0)
  assert.notEqual(buffers.take(), other)
  assert.equal(buffers.take(), undefined)
})

test('a lent write buffer is not handed out until it is back', () => {
  for (const bytes of [100, 16_384, 16_385, 81_920]) {
    const lent = writeBuffer(bytes)
    assert.ok(lent.length >= bytes)
    assert.equal(writeBuffer(bytes), lent)
    lendWriteBuffer(lent)
    const second = writeBuffer(bytes)
    assert.notEqual(second, lent)
    takeBackWriteBuffer(lent)
    takeBackWriteBuffer(lent)
    lendWriteBuffer(second)
    assert.equal(writeBuffer(bytes), lent)
    lendWriteBuffer(lent)
    assert.notEqual(writeBuffer(bytes), lent)
    // Memory that was never lent is not taken in.
    takeBackWriteBuffer(Buffer.alloc(bytes))
  }
  assert.equal(writeBuffer(100_000).length, 100_000)
})

test('parts of the shared buffer are known as such', () => {
  assert.equal(isShared(sharedReadBuffer), true)
  assert.equal(isShared(sharedReadBuffer.subarray(5, 9)), true)
  assert.equal(isShared(Buffer.from('x')), false)
})

socketTest('a connection that ends while its peer still writes tells each end once', async () => {
  const listener = await listenFor(transport, (server) => {
    server.connection?.resume()
    server.connection?.writeText('bye')
    server.connection?.end()
    server.react = (event) => {
      if (event === 'data') server.connection?.destroy()
    }
  })
  for (let i = 0; i < 50; i++) {
    const client = new Recorder()
    client.react = (event) => {
      if (event === 'connected') client.connection?.resume()
      client.connection?.writeText('more')
      if (event === 'end') client.connection?.end()
    }
    transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, client)
    await client.until((end) => end.closed !== undefined)
    assert.deepEqual(client.faults, [])
  }
  listener.destroy()
})

test('the beginning of a buffer is its own, whichever buffer was asked for before', () => {
  const [first, second, large] = [pattern(600, 1), pattern(600, 2), pattern(20_000, 3)]
  for (const length of [1, 512, 513, 600]) {
    for (const buffer of [first, second, first, large, second]) {
      const part = beginningOf(buffer, length)
      assert.deepEqual(
        [part.buffer === buffer.buffer, part.byteOffset, part.length],
        [true, buffer.byteOffset, length],
      )
    }
  }
  assert.equal(beginningOf(first, 10), beginningOf(first, 10))
})

import assert from 'node:assert/strict'
import { RawTransport } from '#src/transport/raw.ts'
import type { Connection } from '#src/transport/transport.ts'
import { digest, finish, waitUntil } from './contract-streams.ts'
import { connectPair, pattern, socketTest } from './recorder.ts'

const transport = new RawTransport()

socketTest('what is written later in one turn leaves in one piece', async () => {
  const { client, server } = await connectPair(transport)
  const pieces: number[] = []
  server.react = (event) => {
    if (event === 'data') pieces.push(server.bytes)
  }
  server.connection?.resume()
  client.call((connection) => {
    for (let i = 0; i < 100; i++) connection.writeLater('0123456789')
    return true
  })
  await server.until((end) => end.bytes === 1000)
  assert.deepEqual(pieces, [1000])
  await finish(client, server)
})

socketTest('text for later is dropped by destroy', async () => {
  const { client, server } = await connectPair(transport)
  server.connection?.resume()
  client.call((connection) => {
    connection.writeLater('x')
    connection.destroy()
  })
  await server.until((end) => end.ended || end.closed !== undefined)
  assert.equal(server.text, '')
  server.connection?.destroy()
  await server.until((end) => end.closed !== undefined)
})

socketTest(
  'an owner hears that text for later waits for the peer, and that it has gone',
  async () => {
    const { client, server } = await connectPair(transport)
    const connection = client.connection as Connection
    const heard: boolean[] = []
    connection.handler.onBackedUp = () => {
      heard.push(connection.backedUp)
    }
    const text = pattern(60_000, 1).latin1Slice()
    let writes = 0
    while (heard.length === 0 && writes < 1000) {
      connection.writeLater(text)
      writes++
      // oxlint-disable-next-line no-await-in-loop -- a turn each
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepEqual(heard, [true])
    assert.equal(client.drains, 0)
    connection.writeLater('behind it')
    server.connection?.resume()
    await waitUntil(() => client.drains > 0)
    await server.until((end) => end.bytes === writes * text.length + 9)
    const expected = Buffer.from(text.repeat(writes) + 'behind it', 'latin1')
    assert.equal(digest(server.content), digest(expected))
    await finish(client, server)
  },
)

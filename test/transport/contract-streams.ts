import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Connection, Transport } from '#src/transport/transport.ts'
import { connectPair, listenFor, pattern, Recorder, relay, socketTest } from './recorder.ts'
import type { Pair } from './recorder.ts'

/** How a pair is made: plain, or with TLS between. */
export type Connect = (transport: Transport) => Promise<Pair>

const megabyte = 1024 * 1024

/** Bytes, backpressure and order: what holds for every implementation, with and without TLS. */
export function streamContract(name: string, transport: Transport, connect: Connect): void {
  const contract = (title: string, run: () => Promise<void>): void => {
    socketTest(`${name}: ${title}`, run)
  }

  contract('text and bytes arrive in the order of the calls', async () => {
    const { client, server } = await connect(transport)
    server.connection?.resume()
    const expected: string[] = []
    client.call((connection) => {
      for (let i = 0; i < 50; i++) {
        const text = `line ${i} caf\u{e9}\n`
        const bytes = pattern(i * 40, i)
        expected.push(text, text, bytes.latin1Slice(0), bytes.latin1Slice(0))
        connection.writeText(text)
        connection.writeBytes(text, bytes, 0, bytes.length)
        connection.writeBytes('', bytes, 0, bytes.length)
        connection.writeBytes('', bytes, bytes.length, bytes.length)
        connection.writeText('')
      }
      connection.end()
    })
    await server.until((end) => end.ended)
    assert.equal(server.text, expected.join(''))
    await finish(client, server)
  })

  contract('text for later keeps its place, and leaves without a further call', async () => {
    const { client, server } = await connect(transport)
    server.connection?.resume()
    client.call((connection) => {
      connection.writeLater('a')
      connection.writeLater('')
      connection.writeText('b')
      connection.writeLater('c')
      connection.writeBytes('d', Buffer.from('e'), 0, 1)
      connection.writeLater('f')
      return true
    })
    await server.until((end) => end.bytes === 6)
    client.call((connection) => {
      connection.writeLater('g')
      connection.end()
      connection.writeLater('too late')
    })
    await server.until((end) => end.ended)
    assert.equal(server.text, 'abcdefg')
    await finish(client, server)
  })

  contract('a part of a buffer is sent, not the whole', async () => {
    const { client, server } = await connect(transport)
    server.connection?.resume()
    const bytes = Buffer.from('0123456789')
    client.call((connection) => {
      connection.writeBytes('a', bytes, 2, 4)
      connection.writeBytes('', bytes, 5, 6)
      connection.end()
    })
    await server.until((end) => end.ended)
    assert.equal(server.text, 'a235')
    await finish(client, server)
  })

  // Elsewhere bulk makes no difference.
  for (const bulk of transport.name === 'raw' ? [false, true] : [false]) {
    contract(
      `large bodies cross in both directions at once${bulk ? ', in bulk' : ''}`,
      async () => {
        const pairs = await Promise.all(Array.from({ length: 3 }, () => connect(transport)))
        await Promise.all(
          pairs.map(async ({ client, server }, i) => {
            const up = pattern(3 * megabyte + i, i + 1)
            const down = pattern(2 * megabyte + i, i + 100)
            for (const end of [client, server]) {
              end.connection?.setBulk(bulk)
              end.connection?.resume()
            }
            send(client, up)
            send(server, down)
            await Promise.all([client.until((end) => end.ended), server.until((end) => end.ended)])
            assert.equal(digest(server.content), digest(up))
            assert.equal(digest(client.content), digest(down))
            await finish(client, server)
          }),
        )
      },
    )

    contract(`what is read can be passed on at once${bulk ? ', in bulk' : ''}`, async () => {
      // Four relays, each of them: client -> near | far -> server and back, all through the same buffers.
      await Promise.all(
        Array.from({ length: 4 }, async (_, i) => {
          const near = await connect(transport)
          const far = await connect(transport)
          for (const end of [near.server, far.client]) end.connection?.setBulk(bulk)
          relay(near.server, far.client)
          relay(far.client, near.server)
          const up = pattern(megabyte + 7 * i, i + 1)
          const down = pattern(2 * megabyte - 7 * i, i + 50)
          far.server.connection?.resume()
          near.client.connection?.resume()
          send(near.client, up)
          send(far.server, down)
          await Promise.all([
            near.client.until((end) => end.ended),
            far.server.until((end) => end.ended),
          ])
          assert.equal(digest(far.server.content), digest(up))
          assert.equal(digest(near.client.content), digest(down))
          await finish(near.client, near.server)
          await finish(far.client, far.server)
        }),
      )
    })

    contract(
      `a stalled reader stops its relay and nothing else${bulk ? ', in bulk' : ''}`,
      async () => {
        const source = await connect(transport)
        const stalled = await connect(transport)
        source.server.connection?.setBulk(bulk)
        relay(source.server, stalled.client)
        const body = pattern(12 * megabyte, 9)
        send(source.client, body)
        await waitUntil(() => stalled.client.connection?.backedUp === true)
        // Others go through the same buffers in the meantime.
        for (let i = 0; i < 4; i++) {
          const near = await connect(transport)
          const far = await connect(transport)
          relay(near.server, far.client)
          far.server.connection?.resume()
          send(near.client, pattern(megabyte, i + 20))
          await far.server.until((end) => end.ended)
          assert.equal(digest(far.server.content), digest(pattern(megabyte, i + 20)))
          await finish(near.client, near.server, far.client, far.server)
        }
        assert.equal(stalled.client.connection?.backedUp, true)
        assert.equal(stalled.server.bytes, 0)
        stalled.server.connection?.resume()
        await stalled.server.until((end) => end.ended)
        assert.equal(digest(stalled.server.content), digest(body))
        await finish(source.client, source.server)
        await finish(stalled.client, stalled.server)
      },
    )
  }

  contract(
    'bytes on their way stay whole when the connection that brought them is gone',
    async () => {
      const source = await connect(transport)
      const stalled = await connect(transport)
      source.server.connection?.setBulk(true)
      relay(source.server, stalled.client)
      const body = pattern(12 * megabyte, 3)
      send(source.client, body)
      await waitUntil(() => stalled.client.connection?.backedUp === true)
      source.client.connection?.destroy()
      source.server.connection?.destroy()
      await source.server.until((end) => end.closed !== undefined)
      for (let i = 0; i < 6; i++) {
        const other = await connect(transport)
        other.server.connection?.setBulk(true)
        other.server.connection?.resume()
        send(other.client, pattern(megabyte, i + 20))
        await other.server.until((end) => end.ended)
        await finish(other.client, other.server)
      }
      stalled.client.connection?.end()
      stalled.server.connection?.resume()
      await stalled.server.until((end) => end.ended)
      const arrived = stalled.server.content
      assert.ok(arrived.length > 0 && arrived.length < body.length)
      assert.equal(digest(arrived), digest(body.subarray(0, arrived.length)))
      await finish(stalled.client, stalled.server)
    },
  )

  contract('a write that waits says so, and its end is told once', async () => {
    const { client, server } = await connect(transport)
    const body = pattern(10 * megabyte, 5)
    const taken = client.call((connection) => connection.writeBytes('', body, 0, body.length))
    assert.equal(taken, false)
    assert.equal(client.connection?.backedUp, true)
    // What is in hand may still be sent.
    assert.equal(
      client.call((connection) => connection.writeText('and more')),
      false,
    )
    assert.equal(client.drains, 0)
    server.connection?.resume()
    await client.until((end) => end.drains === 1)
    assert.equal(client.connection.backedUp, false)
    client.connection.end()
    await server.until((end) => end.ended)
    assert.equal(digest(server.content), digest(Buffer.concat([body, Buffer.from('and more')])))
    assert.equal(client.drains, 1)
    await finish(client, server)
  })

  contract('an end leaves behind everything that waits', async () => {
    const { client, server } = await connect(transport)
    const body = pattern(10 * megabyte, 6)
    client.call((connection) => {
      connection.writeBytes('head', body, 0, body.length)
      connection.end()
      // Nothing goes out behind the end.
      connection.writeText('too late')
      connection.end()
    })
    server.connection?.resume()
    await server.until((end) => end.ended)
    assert.equal(server.bytes, body.length + 4)
    assert.equal(digest(server.content.subarray(4)), digest(body))
    await finish(client, server)
  })

  contract('while paused nothing arrives, afterwards everything', async () => {
    const { client, server } = await connect(transport)
    const body = pattern(2 * megabyte, 7)
    let pausedAt = 0
    server.react = (event) => {
      if (event !== 'data') return
      server.connection?.pause()
      pausedAt = server.bytes
      setImmediate(() => {
        setImmediate(() => {
          assert.equal(server.bytes, pausedAt, 'data while paused')
          server.connection?.resume()
        })
      })
    }
    assert.equal(server.bytes, 0)
    server.connection?.resume()
    send(client, body)
    await server.until((end) => end.ended)
    assert.equal(digest(server.content), digest(body))
    await finish(client, server)
  })

  contract('pausing and resuming in one turn changes nothing', async () => {
    const { client, server } = await connect(transport)
    const body = pattern(megabyte, 8)
    server.react = (event) => {
      if (event !== 'data') return
      for (let i = 0; i < 3; i++) {
        server.connection?.pause()
        server.connection?.resume()
      }
      server.connection?.resume()
    }
    server.connection?.resume()
    send(client, body)
    await server.until((end) => end.ended)
    assert.equal(digest(server.content), digest(body))
    await finish(client, server)
  })

  contract('each direction ends by itself: the client first', async () => {
    const { client, server } = await connect(transport)
    client.connection?.resume()
    server.connection?.resume()
    client.connection?.writeText('question')
    client.connection?.end()
    await server.until((end) => end.ended)
    assert.equal(server.text, 'question')
    assert.equal(client.ended, false)
    server.connection?.writeText('answer, ')
    await client.until((end) => end.bytes > 0)
    server.connection?.writeText('and more')
    server.connection?.end()
    await client.until((end) => end.ended)
    assert.equal(client.text, 'answer, and more')
    await finish(client, server)
    assert.deepEqual([client.closed, server.closed], ['', ''])
  })

  contract('each direction ends by itself: the server first', async () => {
    const { client, server } = await connect(transport)
    client.connection?.resume()
    server.connection?.resume()
    server.connection?.writeText('greeting')
    server.connection?.end()
    await client.until((end) => end.ended)
    client.connection?.writeText('late')
    client.connection?.end()
    await server.until((end) => end.ended)
    assert.equal(server.text, 'late')
    await finish(client, server)
    assert.deepEqual([client.closed, server.closed], ['', ''])
  })

  contract('a codec hands the connection on in the middle of its data', async () => {
    const { client, server } = await connect(transport)
    const second = new Recorder()
    server.react = (event) => {
      if (event === 'data') (server.connection as Connection).handler = second
    }
    server.connection?.resume()
    client.connection?.writeText('first')
    await server.until((end) => end.bytes > 0)
    client.connection?.writeText('second')
    client.connection?.end()
    await second.until((end) => end.ended)
    assert.deepEqual([server.text, second.text], ['first', 'second'])
    server.connection?.destroy()
    await second.until((end) => end.closed !== undefined)
    assert.equal(server.closed, undefined)
    client.connection?.destroy()
    await client.until((end) => end.closed !== undefined)
  })

  contract('many small writes in one turn arrive whole', async () => {
    const { client, server } = await connect(transport)
    server.connection?.resume()
    const lines = Array.from({ length: 5000 }, (_, i) => `${i}\n`)
    client.call((connection) => {
      for (const line of lines) connection.writeText(line)
      connection.end()
    })
    await server.until((end) => end.ended)
    assert.equal(server.text, lines.join(''))
    await finish(client, server)
  })
}

/** Sends a body in steps, at the reader's pace, and ends. */
export function send(end: Recorder, body: Buffer): void {
  const step = 100_000
  let at = 0
  const go = (): void => {
    const connection = end.connection as Connection
    while (at < body.length) {
      const to = Math.min(body.length, at + step)
      const taken = connection.writeBytes('', body, at, to)
      at = to
      if (!taken) return
    }
    connection.end()
  }
  const react = end.react
  end.react = (event) => {
    react(event)
    if (event === 'drain') go()
  }
  go()
}

/** Ends both directions where that has not been done, and checks what both ends saw. */
export async function finish(...ends: readonly Recorder[]): Promise<void> {
  for (const end of ends) {
    end.connection?.resume()
    end.connection?.end()
  }
  await Promise.all(ends.map((end) => end.until(() => end.closed !== undefined)))
  for (const end of ends) assert.deepEqual(end.faults, [])
}

export function digest(buffer: Buffer): string {
  return `${buffer.length} ${createHash('sha1').update(buffer).digest('hex')}`
}

/** Resolves when the condition holds; looks once a turn of the event loop. */
export function waitUntil(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve()
      else setImmediate(look)
    }
    look()
  })
}

export { connectPair, listenFor }

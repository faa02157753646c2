import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { ask } from '#test/commands/instance.ts'
import { TestPlane } from '#test/support/plane.ts'

// proxy-buffer-size: how long the head of an answer may be.

const answer = `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(3000)}\r\nContent-Length: 2\r\n\r\n`

/** An upstream that gives this answer to each request; gives its port. */
async function startUpstream(t: TestContext): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => socket.write(`${answer}ok`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

const cases: readonly (readonly [name: string, bytesMax: number, status: number])[] = [
  ['a head of just this size is passed on', answer.length, 200],
  ['one that is a byte longer is a bad gateway', answer.length - 1, 502],
  ['without a size the limit for all holds', 0, 200],
]

for (const [name, responseHeadBytesMax, status] of cases) {
  test(name, async (t) => {
    const plane = await TestPlane.start({
      upstreams: [await startUpstream(t)],
      settings: { responseHeadBytesMax },
    })
    t.after(() => plane.stop())
    // Heads that repeat the one before are judged like it.
    for (let times = 0; times < 4; times++) {
      const { body, headers, status: given } = await ask(plane.httpPort, '/')
      assert.equal(given, status)
      assert.equal(headers['x-long']?.length, status === 200 ? 3000 : undefined)
      if (status === 200) assert.equal(body, 'ok')
    }
  })
}

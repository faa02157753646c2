import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { withoutReserve } from '#src/transport/raw/descriptor-limit.ts'
import { RawTransport } from '#src/transport/raw.ts'
import type { Connection, Listener } from '#src/transport/transport.ts'
import type { StormResult } from './storm-clients.ts'

const run = promisify(execFile)

function answer(connection: Connection): void {
  connection.handler = {
    onData() {
      connection.writeText('pong')
    },
    onEnd() {
      connection.end()
    },
    onDrain: () => undefined,
    onClose: () => undefined,
  }
  connection.resume()
}

/** Opens a listener under a storm of connections, lets the kernel queue them for a while, then stops it. */
async function underStorm(
  stop: (listener: Listener) => Promise<void>,
  sockets = 1,
): Promise<StormResult> {
  const listener = await new RawTransport().listen({
    address: '127.0.0.1',
    port: 0,
    reusePort: true,
    backlog: 511,
    sockets,
    onConnection: answer,
  })
  const clients = new Worker(new URL('storm-clients.ts', import.meta.url), {
    workerData: { stormPort: listener.port, atOnce: 50 },
  })
  await once(clients, 'message')
  // The clients run in another thread and go on connecting while this one does nothing.
  const until = performance.now() + 50
  while (performance.now() < until);
  const stopped = stop(listener)
  const [result] = (await once(clients, 'message')) as [StormResult]
  await stopped
  await clients.terminate()
  return result
}

for (const sockets of [1, 4]) {
  test(`closing a listener of ${sockets} sockets under a storm loses no connection that the kernel has accepted`, async () => {
    const result = await underStorm((listener) => listener.close(), sockets)
    assert.equal(result.lost, 0)
    assert.ok(result.answered >= 100)
    assert.ok(result.refused > 0, 'the storm went on to the end')
  })
}

test('several sockets of a port have several connections for a turn of the event loop', async () => {
  let accepted = 0
  let turn = 0
  let most = 0
  const listener = await new RawTransport().listen({
    address: '127.0.0.1',
    port: 0,
    reusePort: true,
    backlog: 511,
    sockets: 8,
    onConnection(connection) {
      answer(connection)
      accepted++
      turn++
    },
  })
  const clients = Array.from({ length: 64 }, () => connect(listener.port, '127.0.0.1'))
  for (const client of clients) client.on('error', () => undefined)
  while (accepted < clients.length) {
    most = Math.max(most, turn)
    turn = 0
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  assert.ok(Math.max(most, turn) > 1)
  for (const client of clients) client.destroy()
  await listener.close()
})

test('the same storm does lose connections when the listener is not drained', async () => {
  let lost = 0
  for (let attempt = 0; attempt < 20 && lost === 0; attempt++) {
    const result = await underStorm(async (listener) => {
      listener.destroy()
      return listener.close()
    })
    lost = result.lost
  }
  assert.ok(lost > 0)
})

test('draining prints no warning', async () => {
  const script = `
    import { RawTransport } from '#src/transport/raw.ts'
    const listener = await new RawTransport().listen({
      address: '127.0.0.1', port: 0, reusePort: false, backlog: 1, onConnection() {},
    })
    await listener.close()
    console.log('closed')`
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script])
  assert.equal(stdout, 'closed\n')
  assert.equal(stderr, '')
})

test('clients are turned away, and told of, before the last descriptor is taken', async () => {
  const script = `
    import { RawTransport } from '#src/transport/raw.ts'
    const transport = new RawTransport()
    const errors = []
    const kept = []
    const listener = await transport.listen({
      address: '127.0.0.1', port: 0, reusePort: false, backlog: 100,
      onConnection(connection) { kept.push(connection) },
      onAcceptError(code) { errors.push(code) },
    })
    const target = { address: '127.0.0.1', port: listener.port, tls: undefined }
    const next = () => {
      const handler = {
        onConnected(connection) { connection.resume() }, onData() {}, onDrain() {},
        onEnd: finish, onClose: finish,
      }
      let going = true
      function finish() {
        if (!going) return
        going = false
        console.log(JSON.stringify({ errors, kept: kept.length }))
        process.exit()
      }
      transport.connect(target, handler)
      setImmediate(next)
    }
    next()`
  const { stdout } = await run('sh', [
    '-c',
    'ulimit -n 128 && exec "$0" --input-type=module -e "$1"',
    process.execPath,
    script,
  ])
  const { errors, kept } = JSON.parse(stdout) as { errors: string[]; kept: number }
  assert.ok(errors.length > 0)
  assert.ok(errors.every((code) => code === 'EMFILE'))
  assert.ok(kept > 20 && kept < 64, `${kept} accepted`)
})

test('an eighth of the descriptors is kept back, up to a number', () => {
  assert.equal(withoutReserve(1024), 896)
  assert.equal(withoutReserve(1_048_576), 1_048_320)
  assert.equal(withoutReserve(Infinity), Infinity)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import { Listeners } from '#src/proxy/listeners.ts'
import { WorkerMemory, workerCell } from '#src/shared/worker-memory.ts'
import type { Listener } from '#src/table/table.ts'
import { createTransport } from '#src/transport/select.ts'
import type { Connection, Transport } from '#src/transport/transport.ts'
import type { DataPlaneOptions } from '#src/workers/data-plane-options.ts'
import type { UnopenedListener } from '#src/workers/messages.ts'

const missing = workerCell('listeners_missing')

function listener(protocol: Listener['protocol'], port: number): Listener {
  return {
    key: `${protocol} ${port}`,
    protocol,
    addresses: [],
    port,
    hostGroup: '',
    proxyProtocol: false,
    defaultCertificate: undefined,
  }
}

/** The listening sockets of a worker, with time that the test lets pass. */
async function stage({ listen }: { readonly listen?: Transport['listen'] } = {}) {
  const transport = await createTransport()
  const wheel = new TimerWheel(0)
  const worker = WorkerMemory.create(1)
  const lines: string[] = []
  const log = {
    debug() {},
    warn() {},
    info: (text: string) => lines.push(text),
    error: (text: string) => lines.push(text),
  }
  const accepted: string[] = []
  const told: (readonly UnopenedListener[])[] = []
  const options = {
    transport: listen === undefined ? transport : { ...transport, listen },
    wheel,
    worker,
    writer: 0,
    log,
    bindAddresses: ['127.0.0.1'],
    onUnopenedListeners: (unopened: readonly UnopenedListener[]) => told.push(unopened),
  } as unknown as DataPlaneOptions
  const listeners = new Listeners(options, {
    accept(connection: Connection, key) {
      accepted.push(key)
      connection.destroy()
    },
  })
  return { wheel, worker, lines, listeners, accepted, told }
}

async function taken(): Promise<{ port: number; free: () => Promise<void> }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    free: async () => {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('a TCP port that is taken harms no other, is told once, and is opened when it is free', async () => {
  const { wheel, worker, lines, listeners, accepted, told } = await stage()
  const { port, free } = await taken()
  const http = listener('http', 0)
  const tcp = listener('tcp', port)
  const wanted = new Map([http, tcp].map((one) => [one.key, one]))
  await listeners.follow(wanted)
  assert.ok((listeners.portOf(http.key) ?? 0) > 0)
  assert.equal(listeners.portOf(tcp.key), undefined)
  await listeners.follow(wanted)
  assert.deepEqual(lines, ['a port cannot be opened'])
  assert.equal(worker.get(0, missing), 1)
  assert.deepEqual(told.at(-1)?.[0]?.key, tcp.key)
  assert.match(told.at(-1)?.[0]?.problem ?? '', /address already in use/)
  assert.equal(told.length, 1, 'the same is told once')
  await free()
  wheel.advance(10_000)
  while (worker.get(0, missing) > 0) await new Promise(setImmediate)
  assert.equal(listeners.portOf(tcp.key), port)
  assert.deepEqual(lines, ['a port cannot be opened', 'a port is open after all'])
  assert.deepEqual(told.slice(1), [[]])
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'close')
  assert.deepEqual(accepted, [tcp.key])
  await listeners.close()
})

test('a port that is no longer asked for is no longer missing', async () => {
  const { worker, listeners } = await stage()
  const { port, free } = await taken()
  const tcp = listener('tcp', port)
  await listeners.follow(new Map([[tcp.key, tcp]]))
  assert.equal(worker.get(0, missing), 1)
  await listeners.follow(new Map())
  assert.equal(worker.get(0, missing), 0)
  await free()
})

test('a port for HTTP that is taken is the caller’s business, and told and tried again as well', async () => {
  const { wheel, listeners, lines, told } = await stage()
  const { port, free } = await taken()
  const http = listener('http', port)
  await assert.rejects(listeners.follow(new Map([[http.key, http]])), /address already in use/)
  assert.deepEqual([told.length, told[0]?.[0]?.key, lines], [1, http.key, []])
  await free()
  wheel.advance(10_000)
  while (told.length < 2) await new Promise(setImmediate)
  assert.deepEqual([told[1], listeners.portOf(http.key)], [[], port])
  await listeners.close()
})

test('a socket that is still being opened when its port is given up, or all are closed, stays with nobody', async () => {
  for (const end of ['given up', 'closed'] as const) {
    const closed: string[] = []
    const asked = Promise.withResolvers<void>()
    const { promise: mayOpen, resolve: open } = Promise.withResolvers<void>()
    const { listeners } = await stage({
      async listen({ address, port }) {
        asked.resolve()
        await mayOpen
        return {
          address,
          port,
          async close() {
            closed.push('closed')
            await Promise.resolve()
          },
          destroy() {
            closed.push('destroyed')
          },
        }
      },
    })
    const tcp = listener('tcp', 1)
    const opening = listeners.follow(new Map([[tcp.key, tcp]]))
    await asked.promise
    const ending = end === 'closed' ? listeners.close() : listeners.follow(new Map())
    open()
    await Promise.all([opening, ending])
    assert.deepEqual(closed, ['closed'], end)
    assert.equal(listeners.portOf(tcp.key), undefined)
  }
})

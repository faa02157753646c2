import assert from 'node:assert/strict'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { BroadcastChannel } from 'node:worker_threads'
import { defaultCompileSettings } from '#src/compile/settings.ts'
import type { ControlPlaneSettings } from '#src/controller/settings.ts'
import { LineWriter } from '#src/observe/line-writer.ts'
import { createLogger } from '#src/observe/log.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import { Supervisor } from '#src/workers/supervisor.ts'
import { ask, createFolder, freePorts, manifest, startUpstream } from '../commands/instance.ts'
import { say } from './channel.ts'
import type { WorkerCommand } from './commanded-data-plane.ts'
import { until } from './process.ts'

// The real control plane and the real data plane, in a process whose threads the test can end.
const limits = { timeout: 60_000 }
const toHost = { headers: { host: 'a.example' } }

async function start(t: TestContext, upstream: number, heartbeatTimeoutMs = 10_000) {
  const folder = createFolder(t, { 'web.yaml': manifest('a.example', upstream) })
  const [port = 0] = await freePorts(1)
  const channel = new BroadcastChannel(`real ${process.pid} ${port}`)
  const dataPlane = new URL('commanded-data-plane.ts', import.meta.url)
  dataPlane.searchParams.set('channel', channel.name)
  const compile = {
    ...defaultCompileSettings,
    source: 'files',
    httpPort: port,
    httpsPort: 0,
  } as const
  const settings: ControlPlaneSettings = {
    files: folder,
    compile: { ...compile, watchIngressWithoutClass: true },
  }
  const logSettings = { format: 'json', level: 'error' } as const
  const supervisor = new Supervisor({
    workers: 2,
    endpointSlots: 64,
    ruleSlots: 64,
    bindAddresses: ['127.0.0.1'],
    heartbeatTimeoutMs,
    controlPlane: {
      entry: new URL('../../src/controller/control-plane.ts', import.meta.url),
      settings,
      heapMb: 256,
    },
    dataPlane: dataPlane.href,
    backoff: { firstMs: 10, maxMs: 50, soundMs: 60_000 },
    logSettings,
    log: createLogger({ ...logSettings, now: Date.now, write: () => undefined }),
    accessLog: new LineWriter(
      new Writable({
        write: (_chunk, _encoding, done) => {
          done()
        },
      }),
    ),
    onLogLine: () => undefined,
  })
  t.after(async () => {
    await supervisor.stop()
    channel.close()
  })
  await supervisor.start()
  const inFlight = (): number =>
    supervisor.memory.endpoints.inFlight.reduce((sum, count) => sum + count, 0)
  return {
    supervisor,
    port,
    folder,
    inFlight,
    tell: (command: WorkerCommand) => say(channel, command),
  }
}

/** Puts a new version of the manifests in place at once. */
function replace(folder: string, text: string): void {
  writeFileSync(join(folder, 'next'), text)
  renameSync(join(folder, 'next'), join(folder, 'web.yaml'))
}

test('a worker that crashes takes its own connections with it, and no other', limits, async (t) => {
  const held: (() => void)[] = []
  const upstream = await startUpstream(t, (request, response) => {
    if (request.url === '/held') held.push(() => response.end('held'))
    else response.end('ok')
  })
  const { supervisor, port, inFlight, tell } = await start(t, upstream)
  const { workers } = supervisor.memory
  const cell = workerCell('requests_in_flight')
  // The kernel spreads connections over the workers: enough of them reach both.
  const requests: Promise<string>[] = []
  while (workers.get(0, cell) === 0 || workers.get(1, cell) === 0) {
    requests.push(
      ask(port, '/held', toHost).then(
        ({ body }) => body,
        () => 'cut',
      ),
    )
    await until(() => inFlight() === requests.length)
  }
  const others = workers.get(0, cell)
  tell({ writer: 1, do: 'crash' })
  await until(() => supervisor.pool.status()[1]?.restarts.crash === 1)
  assert.equal(inFlight(), others, 'what the dead worker had in flight is taken back')
  await until(() => supervisor.pool.status()[1]?.state === 'running')
  assert.equal((await ask(port, '/', toHost)).body, 'ok')
  for (const release of held) release()
  const bodies = await Promise.all(requests)
  assert.equal(bodies.filter((body) => body === 'held').length, others)
  await until(() => inFlight() === 0)
})

test('a worker that stands still is replaced, and requests go on', limits, async (t) => {
  const upstream = await startUpstream(t, (_request, response) => response.end('ok'))
  const { supervisor, port, tell } = await start(t, upstream, 2500)
  tell({ writer: 0, do: 'stall' })
  await until(() => supervisor.pool.status()[0]?.restarts.stalled === 1)
  await until(() => supervisor.pool.status()[0]?.state === 'running')
  for (let n = 0; n < 20; n++) assert.equal((await ask(port, '/', toHost)).body, 'ok')
})

test('the control plane dies and comes back; traffic and versions go on', limits, async (t) => {
  const one = await startUpstream(t, (_request, response) => response.end('one'))
  const two = await startUpstream(t, (_request, response) => response.end('two'))
  const { supervisor, port, folder } = await start(t, one)
  const { version } = supervisor.feed
  await supervisor.controlPlane.stop()
  assert.equal((await ask(port, '/', toHost)).body, 'one')
  replace(folder, manifest('a.example', two))
  supervisor.controlPlane.start()
  await until(() => supervisor.feed.version > version)
  const settled = supervisor.feed.version
  await until(() => supervisor.pool.settledVersion === settled)
  assert.equal((await ask(port, '/', toHost)).body, 'two')
  assert.deepEqual(
    supervisor.pool.status().map(({ restarts }) => restarts.crash),
    [0, 0],
  )
})

test(
  'a tunnel that outlives its endpoint keeps its slot, and changes no other',
  limits,
  async (t) => {
    const one = await startUpstream(t, (_request, response) => response.end('one'))
    const two = await startUpstream(t, (_request, response) => response.end('two'))
    const echo = await startEcho(t)
    const { supervisor, port, folder, inFlight } = await start(t, echo)
    const { feed, pool } = supervisor
    const tunnel = await openTunnel(t, port)
    assert.equal(inFlight(), 1)
    for (const next of [one, two, echo, one]) {
      const { version } = feed
      replace(folder, manifest('a.example', next))
      await until(() => feed.version > version && pool.settledVersion === feed.version)
    }
    assert.equal(inFlight(), 1)
    assert.notEqual(feed.endpointSlots.keyOf(1), undefined, 'its slot is still given to it')
    tunnel.write('more')
    const [echoed] = (await once(tunnel, 'data')) as [Buffer]
    assert.equal(echoed.toString(), 'more')
    tunnel.destroy()
    await until(() => inFlight() === 0)
    assert.ok(supervisor.memory.endpoints.inFlight.every((count) => count === 0))
    await until(() => feed.endpointSlots.used === 1)
  },
)

/** An upstream that switches protocols and then echoes. */
async function startEcho(t: TestContext): Promise<number> {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
      )
      socket.on('data', (chunk) => socket.write(chunk))
    })
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

async function openTunnel(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  const [head] = (await once(socket, 'data')) as [Buffer]
  assert.match(head.toString(), /^HTTP\/1\.1 101 /)
  return socket
}

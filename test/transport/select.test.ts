import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { PortableTransport } from '#src/transport/portable.ts'
import { createTransport, rawProblem } from '#src/transport/select.ts'
import { selfTest } from '#src/transport/self-test.ts'
import type { ConnectTarget, Connection, ConnectHandler } from '#src/transport/transport.ts'
import { Recorder } from './recorder.ts'

const run = promisify(execFile)

test('the raw transport is used on the Node that it was written for', async () => {
  const transport = await createTransport()
  assert.equal(rawProblem(process.version), '')
  assert.deepEqual([transport.name, transport.fallbackReason], ['raw', ''])
})

const versions: [string, boolean][] = [
  ['v26.10.0', true],
  ['v26.11.3', true],
  ['v26.9.0', false],
  ['v27.0.0', false],
  ['v27.10.0', false],
  ['v24.11.0', false],
  ['v26', false],
]
for (const [version, known] of versions) {
  test(`${version} is ${known ? '' : 'not '}known`, () => {
    assert.equal(rawProblem(version) === '', known)
    if (!known) assert.match(rawProblem(version), /26\.10/)
  })
}

test('where the inside of Node is closed the portable one serves, and says why', async () => {
  const script = `
    import { createTransport } from '#src/transport/select.ts'
    const transport = await createTransport()
    console.log(JSON.stringify([transport.name, transport.fallbackReason]))`
  const { stdout } = await run(process.execPath, [
    '--permission',
    '--allow-fs-read=*',
    '--allow-net',
    '--input-type=module',
    '-e',
    script,
  ])
  const [name, reason] = JSON.parse(stdout) as [string, string]
  assert.equal(name, 'portable')
  assert.match(reason, /the raw transport does not work here: ERR_ACCESS_DENIED/)
})

test('the self-test passes on what works', async () => {
  await selfTest(new PortableTransport(''))
})

class Lossy extends PortableTransport {
  override connect(target: ConnectTarget, handler: ConnectHandler): Connection {
    let bytes = 0
    return super.connect(target, {
      onConnected: (connection) => {
        handler.onConnected(connection)
      },
      onData: (buffer, start, end) => {
        bytes += end - start
        if (bytes > 1_000_000) buffer[start] = (buffer[start] as number) ^ 1
        handler.onData(buffer, start, end)
      },
      onEnd: () => {
        handler.onEnd()
      },
      onDrain: () => {
        handler.onDrain()
      },
      onClose: (reason) => {
        handler.onClose(reason)
      },
    })
  }
}

test('the self-test fails on a transport that changes a byte', async () => {
  await assert.rejects(selfTest(new Lossy('')), /bytes came back changed/)
})

class Deaf extends PortableTransport {
  override connect(target: ConnectTarget, handler: ConnectHandler): Connection {
    const connection = super.connect(target, handler)
    connection.resume = () => undefined
    return connection
  }
}

test('the self-test gives up on a transport that says nothing', async () => {
  await assert.rejects(selfTest(new Deaf(''), 100), /no echo within 100 ms/)
})

test('workers share a port, each on a transport of its own', async () => {
  const transport = await createTransport()
  const workers: Worker[] = []
  let port = 0
  for (const number of [1, 2]) {
    const worker = new Worker(new URL('worker-echo.ts', import.meta.url), {
      workerData: { echoPort: port, number },
    })
    workers.push(worker)
    ;[port] = (await once(worker, 'message')) as [number]
  }
  const answers = await Promise.all(
    Array.from({ length: 64 }, async () => {
      const client = new Recorder()
      client.react = (event) => {
        if (event === 'connected') client.connection?.resume()
        if (event === 'end') client.connection?.end()
      }
      transport.connect({ address: '127.0.0.1', port, tls: undefined }, client)
      await client.until((end) => end.closed !== undefined)
      return client.text
    }),
  )
  assert.deepEqual([...new Set(answers)].toSorted(), ['raw 1', 'raw 2'])
  const exits = workers.map((worker) => once(worker, 'exit'))
  for (const worker of workers) worker.postMessage('close')
  assert.deepEqual(await Promise.all(exits), [[0], [0]])
})

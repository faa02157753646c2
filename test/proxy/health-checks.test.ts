import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { HealthCheck } from '#src/table/table.ts'
import { until } from '#test/http2/support/socket-connection.ts'
import { Client, Upstream } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'

const stops: (() => void | Promise<void>)[] = []
after(async () => {
  for (const stop of stops.toReversed()) await stop()
})

const check: HealthCheck = {
  kind: 'http',
  path: '/healthz',
  service: '',
  intervalMs: 50,
  timeoutMs: 5000,
  failures: 2,
  successes: 2,
}
const good = workerCell('health_checks_total:good')
const failed = workerCell('health_checks_total:failed')

/** An upstream whose health can be set; it counts its requests and its checks. */
async function patient() {
  const upstream = await Upstream.start('http1')
  stops.push(() => upstream.stop())
  const seen = { status: 200, requests: 0, connections: [] as (string | undefined)[] }
  upstream.listener = (request, response) => {
    if (request.url === '/healthz') {
      seen.connections.push(request.headers.connection)
      response.writeHead(seen.status)
    } else seen.requests++
    response.end()
  }
  return { port: upstream.port, seen }
}

test('an endpoint that fails its checks gets no requests until it passes them again', async () => {
  const [first, second] = [await patient(), await patient()]
  const plane = await TestPlane.start({
    upstreams: [first.port, second.port],
    healthCheck: check,
  })
  stops.push(async () => await plane.stop())
  const client = new Client('http1', plane.httpPort)
  first.seen.status = 503
  await until(() => plane.endpoints.unhealthy[1] === 1)
  const before = first.seen.requests
  for (let i = 0; i < 6; i++) assert.equal((await client.get('/')).status, 200)
  assert.equal(first.seen.requests, before)
  first.seen.status = 302
  await until(() => plane.endpoints.unhealthy[1] === 0)
  // The worker looks for endpoints that are back a few times a second.
  while (first.seen.requests === before) await client.get('/')
  assert.ok(plane.worker.get(0, failed) >= 2)
  assert.ok(plane.worker.get(0, good) >= 2)
  assert.ok(first.seen.connections.every((connection) => connection === 'close'))
})

test('when all fail their checks, requests still go somewhere; without checks, everywhere', async () => {
  const [first, second] = [await patient(), await patient()]
  first.seen.status = 500
  second.seen.status = 500
  const plane = await TestPlane.start({
    upstreams: [first.port, second.port],
    healthCheck: check,
  })
  stops.push(async () => await plane.stop())
  const client = new Client('http1', plane.httpPort)
  await until(() => plane.endpoints.unhealthy[1] === 1 && plane.endpoints.unhealthy[2] === 1)
  for (let i = 0; i < 4; i++) assert.equal((await client.get('/')).status, 200)
  await plane.apply([first.port, second.port], {}, false)
  assert.deepEqual([...plane.endpoints.unhealthy.subarray(1, 3)], [0, 0])
  const [one, two] = [first.seen.requests, second.seen.requests]
  for (let i = 0; i < 4; i++) await client.get('/')
  assert.deepEqual([first.seen.requests - one, second.seen.requests - two], [2, 2])
})

const serialize = (bytes: Buffer): Buffer => bytes
const healthMethod = {
  path: '/grpc.health.v1.Health/Check',
  requestStream: false,
  responseStream: false,
  requestSerialize: serialize,
  requestDeserialize: serialize,
  responseSerialize: serialize,
  responseDeserialize: serialize,
} as const

/** A gRPC server with these answers in turn, the last one for ever: a status of health, or an error. */
async function grpcPatient(answers: readonly (number | 'error')[], asked: string[] = []) {
  const server = new grpc.Server()
  const method: grpc.handleUnaryCall<Buffer, Buffer> = (call, done) => {
    asked.push(call.request.toString('latin1'))
    const answer = answers[Math.min(asked.length, answers.length) - 1] ?? 'error'
    if (answer === 'error') done({ code: grpc.status.UNIMPLEMENTED, details: 'no' })
    else done(null, answer === 0 ? Buffer.alloc(0) : Buffer.from([8, answer]))
  }
  server.addService({ check: healthMethod }, { check: method })
  stops.push(() => server.forceShutdown())
  return await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port)
      else reject(error)
    })
  })
}

test('gRPC health: serving is good; not serving, unknown and errors are not', async () => {
  const asked: string[] = []
  const ports = [
    await grpcPatient([1], asked),
    await grpcPatient([2]),
    await grpcPatient([0]),
    await grpcPatient(['error']),
    await grpcPatient([2, 2, 2, 1]),
  ]
  const plane = await TestPlane.start({
    upstreams: ports,
    protocol: 'http2',
    healthCheck: { ...check, kind: 'grpc', path: '', service: 'shop.Cart' },
  })
  stops.push(async () => await plane.stop())
  const states = (): number[] => [...plane.endpoints.unhealthy.subarray(1, 6)]
  await until(() => states()[4] === 1)
  await until(() => states().join('') === '01110')
  assert.equal(asked[0], '\n\tshop.Cart')
})

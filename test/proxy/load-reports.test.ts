import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { workerCell } from '#src/shared/worker-memory.ts'
import { startGrpcServer, WordsClient } from '#test/support/grpc-peers.ts'
import { Client, Upstream } from '#test/support/http-peers.ts'
import { encodeReportBytes } from '#test/support/orca.ts'
import { TestPlane } from '#test/support/plane.ts'

const stops: (() => void | Promise<void>)[] = []
after(async () => {
  for (const stop of stops.toReversed()) await stop()
})

const read = workerCell('load_reports_total:read')
const malformed = workerCell('load_reports_total:malformed')

/** A plane before one upstream that sends this report. */
async function reporting(algorithm: string, value: string) {
  const upstream = await Upstream.start('http1')
  const plane = await TestPlane.start({
    upstreams: [upstream.port],
    balance: { algorithm, options: {}, hashKey: [] },
  })
  upstream.listener = (_request, response) => {
    response.writeHead(200, { 'Endpoint-Load-Metrics': value })
    response.end('ok')
  }
  stops.push(
    () => upstream.stop(),
    async () => await plane.stop(),
  )
  const { headers } = await new Client('http1', plane.httpPort).get('/')
  return { plane, told: headers['endpoint-load-metrics'] }
}

test('a route whose algorithm reads reports takes them out and keeps them in shared memory', async () => {
  const { plane, told } = await reporting(
    'reported-weights',
    'TEXT rps_fractional=200,application_utilization=0.5',
  )
  assert.equal(told, undefined)
  // The slot of the endpoint is 1, and there is one writer.
  assert.equal(plane.endpoints.reported[1], 400)
  assert.equal(plane.worker.get(0, read), 1)
})

test('what is no report changes nothing, is counted, and is not passed on', async () => {
  const { plane, told } = await reporting('reported-weights', 'TEXT rps_fractional=many')
  assert.equal(told, undefined)
  assert.equal(plane.endpoints.reported[1], 0)
  assert.equal(plane.worker.get(0, malformed), 1)
})

for (const algorithm of ['round-robin', 'least-requests']) {
  test(`${algorithm} leaves them alone`, async () => {
    const value = 'TEXT rps_fractional=200,application_utilization=0.5'
    const { plane, told } = await reporting(algorithm, value)
    assert.equal(told, value)
    assert.equal(plane.worker.get(0, read), 0)
  })
}

test('gRPC servers report in their trailers, with and without messages', async () => {
  const trailers = new grpc.Metadata()
  trailers.set(
    'endpoint-load-metrics-bin',
    encodeReportBytes({ rps_fractional: 30, application_utilization: 0.1 }),
  )
  const { port, server } = await startGrpcServer({
    one: (call, done) => {
      if (call.request === 'fail') done({ code: grpc.status.ABORTED, metadata: trailers })
      else done(null, 'good', trailers)
    },
  })
  const plane = await TestPlane.start({
    upstreams: [port],
    protocol: 'http2',
    balance: { algorithm: 'reported-weights', options: {}, hashKey: [] },
  })
  const client = new WordsClient(plane.httpPort)
  stops.push(
    () => server.forceShutdown(),
    async () => await plane.stop(),
    () => client.close(),
  )
  for (const [word, code] of [
    ['x', grpc.status.OK],
    ['fail', grpc.status.ABORTED],
  ] as const) {
    plane.endpoints.reported[1] = 0
    const outcome = await client.one(word)
    assert.equal(outcome.code, code)
    assert.deepEqual(outcome.trailers.get('endpoint-load-metrics-bin'), [])
    assert.equal(Math.round(plane.endpoints.reported[1]), 300)
  }
})

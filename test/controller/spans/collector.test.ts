import assert from 'node:assert/strict'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
import type { TracingOptions } from '#src/compile/values/tracing.ts'
import { connectCollector } from '#src/controller/spans/collector.ts'
import { startOtlpCollector } from '#test/support/otlp-collector.ts'
import { span } from './spans.ts'

const limits = { timeout: 60_000 }

function tracing(port: number): TracingOptions {
  const rest = { serviceName: 'edge', queueMax: 10, delayMs: 1, batchMax: 10 }
  return { host: '127.0.0.1', port, ...rest }
}

test('spans arrive at a collector as they were', limits, async (t) => {
  const server = await startOtlpCollector()
  const collector = await connectCollector(tracing(server.port))
  t.after(async () => {
    await collector.close()
    server.stop()
  })
  const child = { ...span(1), parentId: '00f067aa0ba902b7', traceState: 'a=b', failed: true }
  await collector.send([span(0), child])
  assert.deepEqual(server.spans, [
    {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '0000000000000001',
      parentId: '',
      traceState: '',
      name: 'GET /0',
      kind: 2,
      startNanos: 1_800_000_000_000_250_000n,
      endNanos: 1_800_000_000_001_500_000n,
      attributes: { 'http.request.method': 'GET', 'headgate.tries': 1 },
      statusCode: 0,
      service: 'edge',
    },
    {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '0000000000000002',
      parentId: '00f067aa0ba902b7',
      traceState: 'a=b',
      name: 'GET /1',
      kind: 2,
      startNanos: 1_800_000_000_000_250_000n,
      endNanos: 1_800_000_000_001_500_000n,
      attributes: { 'http.request.method': 'GET', 'headgate.tries': 1 },
      statusCode: 2,
      service: 'edge',
    },
  ])
})

test('a collector that refuses is told apart', limits, async (t) => {
  const server = await startOtlpCollector()
  server.status = status.INVALID_ARGUMENT
  const collector = await connectCollector(tracing(server.port))
  t.after(async () => {
    await collector.close()
    server.stop()
  })
  await assert.rejects(collector.send([span(0)]), /as the test says/)
  server.status = status.OK
  await collector.send([span(1)])
  assert.equal(server.spans.length, 1)
})

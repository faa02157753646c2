import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Registry } from 'prom-client'
import type { TracingOptions } from '#src/compile/values/tracing.ts'
import { SpanExport } from '#src/controller/spans/span-export.ts'
import { addSpanMetrics } from '#src/controller/spans/span-metrics.ts'
import { createLogger } from '#src/observe/log.ts'
import type { Span } from '#src/exchange/span.ts'
import { spans } from './spans.ts'

const tracing: TracingOptions = {
  host: 'collector.test',
  port: 4317,
  serviceName: 'headgate',
  queueMax: 10,
  delayMs: 5000,
  batchMax: 4,
}

/** An export with collectors and a clock of the test's own. */
function create() {
  const sent: { readonly port: number; readonly names: readonly string[] }[] = []
  const answers: { resolve(): void; reject(error: Error): void }[] = []
  const timers: { readonly callback: () => void; readonly delayMs: number }[] = []
  const closed: number[] = []
  const logged: string[] = []
  const log = createLogger({
    format: 'json',
    level: 'info',
    now: () => 0,
    linesPerSecond: 100,
    write: (line) => {
      logged.push((JSON.parse(line) as { readonly message: string }).message)
    },
  })
  const exporter = new SpanExport({
    log,
    schedule(callback, delayMs) {
      const timer = { callback, delayMs }
      timers.push(timer)
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1)
      }
    },
    async connect({ port }) {
      return await Promise.resolve({
        async send(batch: readonly Span[]) {
          sent.push({ port, names: batch.map(({ name }) => name.slice('GET /'.length)) })
          await new Promise<void>((resolve, reject) => {
            answers.push({ resolve, reject })
          })
        },
        async close() {
          closed.push(port)
          await Promise.resolve()
        },
      })
    },
  })
  const answer = async (error?: Error): Promise<void> => {
    const next = answers.shift()
    if (error === undefined) next?.resolve()
    else next?.reject(error)
    await nextTurn()
  }
  return { exporter, sent, timers, closed, logged, answer }
}

const batches = (sent: readonly { readonly names: readonly string[] }[]): string[] =>
  sent.map(({ names }) => names.join(' '))

test('a span waits no longer than it may', async () => {
  const { exporter, sent, timers } = create()
  exporter.configure(tracing)
  exporter.add(spans(1), 0)
  exporter.add(spans(1, 1), 0)
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [5000],
  )
  timers.shift()?.callback()
  await nextTurn()
  assert.deepEqual(batches(sent), ['0 1'])
})

test('a full batch leaves at once, and one batch follows the other', async () => {
  const { exporter, sent, timers, answer } = create()
  exporter.configure(tracing)
  exporter.add(spans(9), 0)
  await nextTurn()
  assert.deepEqual(batches(sent), ['0 1 2 3'])
  await answer()
  assert.deepEqual(batches(sent), ['0 1 2 3', '4 5 6 7'])
  await answer()
  assert.equal(timers.length, 1)
  assert.deepEqual(exporter.counts, { exported: 8, failed: 0, dropped: 0 })
})

test('what does not fit is dropped and counted, as is what was lost before', async () => {
  const { exporter, sent } = create()
  exporter.configure(tracing)
  exporter.add(spans(4), 3)
  await nextTurn()
  exporter.add(spans(15, 4), 0)
  assert.equal(exporter.waiting, 10)
  assert.deepEqual(batches(sent), ['0 1 2 3'])
  assert.deepEqual(exporter.counts, { exported: 0, failed: 0, dropped: 8 })
})

test('without a collector spans are dropped', () => {
  const { exporter, sent } = create()
  exporter.add(spans(3), 0)
  assert.deepEqual([exporter.waiting, sent.length, exporter.counts.dropped], [0, 0, 3])
})

test('a failure is said once, and so is its end', async () => {
  const { exporter, logged, answer } = create()
  exporter.configure(tracing)
  for (const failure of [new Error('down'), new Error('down'), undefined, undefined]) {
    exporter.add(spans(4), 0)
    await nextTurn()
    await answer(failure)
  }
  assert.deepEqual(logged, ['spans are lost', 'spans are taken again'])
  assert.deepEqual(exporter.counts, { exported: 8, failed: 8, dropped: 0 })
})

test('what waits goes to the collector of the new options', async () => {
  const { exporter, sent, closed, answer } = create()
  exporter.configure(tracing)
  exporter.add(spans(6), 0)
  await nextTurn()
  exporter.configure({ ...tracing })
  assert.deepEqual(closed, [])
  exporter.configure({ ...tracing, port: 1, batchMax: 2 })
  await answer()
  assert.deepEqual(closed, [4317])
  assert.deepEqual(sent, [
    { port: 4317, names: ['0', '1', '2', '3'] },
    { port: 1, names: ['4', '5'] },
  ])
})

test('a smaller queue keeps the newest', () => {
  const { exporter } = create()
  exporter.configure(tracing)
  exporter.add(spans(3), 0)
  exporter.configure({ ...tracing, queueMax: 2, batchMax: 2 })
  assert.deepEqual(exporter.counts.dropped, 1)
  exporter.configure(undefined)
  assert.equal(exporter.waiting, 0)
})

test('the end sends what is left', async () => {
  const { exporter, sent, closed, answer } = create()
  exporter.configure(tracing)
  exporter.add(spans(6), 0)
  await nextTurn()
  const stopped = exporter.stop()
  await answer()
  await answer()
  await stopped
  assert.deepEqual(batches(sent), ['0 1 2 3', '4 5'])
  assert.deepEqual([closed, exporter.counts.exported], [[4317], 6])
})

test('the end does not wait for ever', async () => {
  const { exporter, timers } = create()
  exporter.configure(tracing)
  exporter.add(spans(6), 0)
  await nextTurn()
  const stopped = exporter.stop()
  const [last] = timers
  assert.equal(last?.delayMs, 3000)
  last.callback()
  await stopped
  assert.equal(exporter.counts.dropped, 2)
})

test('metrics tell what became of spans', async () => {
  const { exporter } = create()
  const registry = new Registry()
  addSpanMetrics(registry, exporter)
  exporter.configure(tracing)
  exporter.add(spans(2), 3)
  const text = await registry.metrics()
  assert.match(text, /^headgate_trace_export_spans_total\{result="dropped"\} 3$/m)
  assert.match(text, /^headgate_trace_export_queue_spans 2$/m)
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { cpuBetween, memoryKb, processTree, readCpu } from '../../bench/compare/cpu.ts'
import { median } from '../../bench/compare/measure.ts'
import type { Series } from '../../bench/compare/measure.ts'
import { readOptions } from '../../bench/compare/options.ts'
import { judge, markdown } from '../../bench/compare/report.ts'
import { workloads } from '../../bench/compare/workloads.ts'
import type { Workload } from '../../bench/compare/workloads.ts'

const workload = { ...workloads[0], title: 'some traffic', bar: 1.15 } as Workload

function series(kind: Series['kind'], figures: readonly number[], errors = 0): Series {
  const rounds = figures.map((cpuUsPerRequest) => ({
    cpuUsPerRequest,
    requestsPerSecond: 1000,
    p99Ms: 1,
    errors,
  }))
  return { label: kind, kind, rounds }
}

describe('CPU time', () => {
  test('counts the work of other threads of a process', async () => {
    const before = readCpu(process.pid)
    const burn = 'const end = performance.now() + 200; while (performance.now() < end);'
    const worker = new Worker(burn, { eval: true })
    await new Promise((resolve) => worker.once('exit', resolve))
    const ms = cpuBetween(before, readCpu(process.pid)) / 1e6
    assert.ok(ms > 40, `${ms} ms of CPU for 200 ms of work`)
  })

  test('takes a process in which a thread ended from its own total', () => {
    const before = new Map([[1, { threads: new Map([['1', 1e8]]), wholeNs: 2e8 }]])
    const after = new Map([[1, { threads: new Map([['1', 2e8]]), wholeNs: 9e8 }]])
    assert.equal(cpuBetween(before, after), 7e8)
    const rounded = new Map([[1, { threads: new Map([['1', 2e8]]), wholeNs: 3.1e8 }]])
    assert.equal(cpuBetween(before, rounded), 1e8)
  })

  test('counts a process that came in between from its start', () => {
    const after = new Map([[2, { threads: new Map([['2', 7]]), wholeNs: 0 }]])
    assert.equal(cpuBetween(new Map(), after), 7)
  })

  test('a process tree begins with its root and has memory', () => {
    assert.equal(processTree(process.pid)[0], process.pid)
    assert.ok(memoryKb(process.pid) > 1000)
  })
})

test('the median of an odd and of an even number of figures', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
})

describe('judgement', () => {
  const cases = [
    {
      name: 'medians are compared, with the better of nginx and HAProxy',
      series: [series('headgate', [11, 1, 12]), series('nginx', [20]), series('haproxy', [10])],
      ratio: 1.1,
      verdict: 'within',
    },
    {
      name: 'the best of several builds counts on either side',
      series: [
        series('headgate', [30]),
        series('headgate', [24]),
        series('nginx', [20]),
        series('nginx', [40]),
      ],
      ratio: 1.2,
      verdict: 'missed',
    },
    {
      name: 'a build with failed requests does not count',
      series: [series('headgate', [10]), series('nginx', [5], 1), series('haproxy', [10])],
      ratio: 1,
      verdict: 'within',
    },
    {
      name: 'nothing is judged without a peer that has a bar',
      series: [series('headgate', [10]), series('envoy', [50])],
      ratio: undefined,
      verdict: 'not judged',
    },
    {
      name: 'nothing is judged when our own requests failed',
      series: [series('headgate', [10], 3), series('nginx', [50])],
      ratio: undefined,
      verdict: 'not judged',
    },
  ]
  for (const { name, series: measured, ratio, verdict } of cases) {
    test(name, () => {
      const row = judge(workload, measured)
      assert.equal(row.verdict, verdict)
      assert.equal(row.ratio?.toFixed(3), ratio?.toFixed(3))
    })
  }
})

test('the table shows median, range, errors, ratio and what is missing', () => {
  const row = judge(workload, [series('headgate', [10, 12, 11]), series('nginx', [10], 2)])
  const facts = { machine: 'm', started: 's', rounds: 3, seconds: 1, missing: ['envoy: absent'] }
  const text = markdown(facts, [row])
  assert.match(
    text,
    /^\| some traffic \| 11\.0 \(10\.0-12\.0\) \| 10\.0 \(10\.0-10\.0\), 2 errors \|/m,
  )
  assert.match(text, /^Not measured: envoy: absent\.$/m)
})

test('options are read, and faults are one clear line', () => {
  const options = readOptions(['--rounds', '7', '--only', 'h1,log', '--nginx', 'a', '--nginx', 'b'])
  assert.equal(options.rounds, 7)
  assert.deepEqual(
    options.workloads.map(({ id }) => id),
    ['h1', 'log'],
  )
  assert.deepEqual(options.paths.nginx, ['a', 'b'])
  const faults: [string[], RegExp][] = [
    [['--rounds', '0'], /^--rounds must be a whole number from 1, got "0"$/],
    [['--only', 'h3'], /^--only: no workload is called "h3"; there are h1, /],
    [['--without', 'caddy'], /^--without: no proxy is called "caddy"/],
    [['--nonsense'], /nonsense/],
  ]
  for (const [argv, message] of faults) {
    assert.throws(
      () => readOptions(argv),
      (error: Error) => message.test(error.message),
    )
  }
})

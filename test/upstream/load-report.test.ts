import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Fields, toPairs } from '#src/exchange/fields.ts'
import { takeLoadReport } from '#src/upstream/load-reports/load-report.ts'
import { emptyReport } from '#src/upstream/load-reports/metrics.ts'
import { encodeReport } from '#test/support/orca.ts'

/** What is read of one field, without what the report leaves open. */
function reading(name: string, value: string) {
  const fields = new Fields()
  fields.append('X-Other', 'stays')
  fields.append(name, value)
  const report = emptyReport()
  const outcome = takeLoadReport(fields, report)
  assert.deepEqual(toPairs(fields), ['X-Other', 'stays'])
  if (outcome !== 'read') return outcome
  return Object.fromEntries(Object.entries(report).filter(([, own]) => !Number.isNaN(own)))
}

const plain = 'Endpoint-Load-Metrics'
const whole = {
  utilization: 0.7,
  requestsPerSecond: 120.5,
  errorsPerSecond: 2,
  inFlight: 12,
  latencyMs: 8.25,
}
const metrics = {
  cpu_utilization: 0.7,
  rps_fractional: 120.5,
  eps: 2,
  named_metrics: { requests_in_flight: 12, latency_ms: 8.25, other: 3 },
}
const text =
  'cpu_utilization=0.7,rps_fractional=120.5,eps=2,named_metrics.requests_in_flight=12,named_metrics.latency_ms=8.25'
const binary = encodeReport(metrics)

describe('what is read', () => {
  const cases: Readonly<Record<string, readonly [string, string, object]>> = {
    text: [plain, `TEXT ${text}`, whole],
    'text with colons and spaces': [plain, `TEXT ${text.replaceAll('=', ': ')}`, whole],
    JSON: [plain, `JSON ${JSON.stringify(metrics)}`, whole],
    'JSON in camel case, with numbers as texts': [
      plain,
      'JSON {"cpuUtilization": "0.7", "rpsFractional": 120.5, "namedMetrics": {"latency_ms": 1e1}}',
      { utilization: 0.7, requestsPerSecond: 120.5, latencyMs: 10 },
    ],
    binary: [plain, `BIN ${binary}`, whole],
    'binary as gRPC sends it': ['endpoint-load-metrics-bin', binary, whole],
    'binary without padding': ['endpoint-load-metrics-bin', binary.replaceAll('=', ''), whole],
    'the utilization that the application names': [
      plain,
      'TEXT application_utilization=0.9,cpu_utilization=0.2',
      { utilization: 0.9 },
    ],
    'its processors where the application names none': [
      plain,
      'TEXT cpu_utilization=0.2,application_utilization=0',
      { utilization: 0.2 },
    ],
    'metrics without a use': [
      plain,
      'TEXT mem_utilization=0.5,request_cost.db=3,eps=1',
      { errorsPerSecond: 1 },
    ],
  }
  for (const [name, [field, value, expected]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(reading(field, value), expected))
  }
})

test('what is malformed is no report, and goes nevertheless', () => {
  const truncated = Buffer.from(Buffer.from(binary, 'base64').subarray(0, 13)).toString('base64')
  const lengthTooLarge = Buffer.from([0x42, 0xff, 0xff, 0xff, 0xff, 0x0f]).toString('base64')
  const valueInfinite = encodeReport({ cpu_utilization: Infinity })
  for (const value of [
    '',
    'eps=1',
    'YAML eps: 1',
    'TEXT ',
    'TEXT eps',
    'TEXT =1',
    'TEXT eps=',
    'TEXT eps=0x10',
    'TEXT eps=NaN',
    'TEXT eps=1e999',
    'TEXT eps=1,eps=2',
    'JSON ',
    'JSON [1]',
    'JSON {"eps": true}',
    'JSON {"eps": "many"}',
    'JSON {"named_metrics": {"latency_ms": null}}',
    'BIN ',
    'BIN not*base64',
    `BIN ${truncated}`,
    `BIN ${lengthTooLarge}`,
    `BIN ${valueInfinite}`,
    `TEXT ${'named_metrics.a=1,'.repeat(300)}eps=1`,
  ]) {
    assert.equal(reading(plain, value), 'malformed', value)
  }
})

test('an answer without a report keeps its fields', () => {
  const fields = new Fields()
  fields.append('Endpoint-Load', 'TEXT eps=1')
  assert.equal(takeLoadReport(fields, emptyReport()), 'none')
  assert.deepEqual(toPairs(fields), ['Endpoint-Load', 'TEXT eps=1'])
})

test('a report does not remember the one before it', () => {
  const report = emptyReport()
  for (const value of ['TEXT application_utilization=0.9,eps=1', 'TEXT cpu_utilization=0.1']) {
    const fields = new Fields()
    fields.append(plain, value)
    takeLoadReport(fields, report)
  }
  assert.deepEqual(report, { ...emptyReport(), utilization: 0.1 })
})

test('no text makes it throw', () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((own) => Buffer.from(own).toString('base64'))
  fc.assert(
    fc.property(
      fc.constantFrom('TEXT ', 'JSON ', 'BIN ', ''),
      fc.oneof(bytes, fc.string()),
      (a, b) => {
        const outcome = reading(plain, a + b)
        if (typeof outcome === 'object') Object.values(outcome).every(Number.isFinite)
      },
    ),
    { seed: 1, numRuns: 2000 },
  )
})

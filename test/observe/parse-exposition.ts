import assert from 'node:assert/strict'

export interface Exposition {
  /** By family: its type. */
  readonly families: ReadonlyMap<string, string>
  readonly value: (name: string, labels: Readonly<Record<string, string>>) => number | undefined
}

const samplePattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/g

/**
 * A strict reader of the Prometheus text format: every sample belongs to the family opened last, no
 * family is opened twice, and no series comes twice.
 */
export function parseExposition(text: string): Exposition {
  const families = new Map<string, string>()
  const series = new Map<string, number>()
  let family = ''
  assert.ok(text.endsWith('\n'))
  for (const line of text.split('\n')) {
    const [, name, type = ''] = /^# TYPE (\S+) (.*)$/.exec(line) ?? []
    if (name !== undefined) {
      assert.ok(!families.has(name), `family ${name} comes twice`)
      families.set(name, type)
      family = name
    } else if (line !== '' && !line.startsWith('#')) {
      const { key, value } = parseSample(line, family, families.get(family) ?? '')
      assert.ok(!series.has(key), `series twice: ${key}`)
      series.set(key, value)
    }
  }
  return { families, value: (name, labels) => series.get(keyOf(name, labels)) }
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
}

function parseSample(line: string, family: string, type: string): { key: string; value: number } {
  const match = samplePattern.exec(line)
  assert.ok(match, `not a sample: ${line}`)
  const [, metric = '', labels = '', value = ''] = match
  assert.ok(metric.startsWith(family), `${metric} in family ${family}`)
  assert.ok((suffixes[type] ?? ['']).includes(metric.slice(family.length)), line)
  assert.equal(labels.replaceAll(labelPattern, ''), '', `labels of ${line}`)
  const key = keyOf(metric, Object.fromEntries(labelsOf(labels)))
  return { key, value: Number(value.replace('+Inf', 'Infinity')) }
}

function labelsOf(text: string): [string, string][] {
  return [...text.matchAll(labelPattern)].map(([, name = '', value = '']) => [name, value])
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))])
}

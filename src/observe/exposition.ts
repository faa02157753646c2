/** Prefix of every metric of ours. */
export const metricPrefix = 'headgate_'

export type MetricType = 'counter' | 'gauge' | 'histogram'

/** The two comment lines that open a family (Prometheus text format 0.0.4). */
export function familyHead(name: string, type: MetricType, help: string): string {
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `# HELP ${metricPrefix}${name} ${text}\n# TYPE ${metricPrefix}${name} ${type}\n`
}

/** One sample; `labels` as `labelText` makes them, '' for none. */
export function sample(name: string, labels: string, value: number): string {
  return labels === ''
    ? `${metricPrefix}${name} ${numberText(value)}\n`
    : `${metricPrefix}${name}{${labels}} ${numberText(value)}\n`
}

/** Labels in order, values escaped: `name="value",name="value"`. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  let text = ''
  for (const [name, value] of Object.entries(labels)) {
    text += `${text === '' ? '' : ','}${name}="${escapedValue(value)}"`
  }
  return text
}

function escapedValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}

/** Buckets of one histogram: not cumulative here, with one more than there are bounds. */
export interface HistogramSample {
  readonly labels: string
  /** Texts of the upper bounds, in the unit of the metric. */
  readonly bounds: readonly string[]
  readonly counts: readonly number[]
  readonly sum: number
}

/** The samples of one histogram: cumulative buckets, sum, count. */
export function histogramSamples(
  name: string,
  { labels, bounds, counts, sum }: HistogramSample,
): string {
  const before = labels === '' ? '' : `${labels},`
  let text = ''
  let count = 0
  for (let i = 0; i < counts.length; i++) {
    count += counts[i] as number
    text += sample(`${name}_bucket`, `${before}le="${bounds[i] ?? '+Inf'}"`, count)
  }
  return text + sample(`${name}_sum`, labels, sum) + sample(`${name}_count`, labels, count)
}

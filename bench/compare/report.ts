import { cpus, release, totalmem } from 'node:os'
import { median } from './measure.ts'
import type { Series } from './measure.ts'
import type { Workload } from './workloads.ts'

/** The figures of one workload and what they say about its bar. */
export interface Row {
  readonly workload: Workload
  readonly series: readonly Series[]
  /** Headgate's median over the lowest median of nginx and HAProxy; undefined without either. */
  readonly ratio: number | undefined
  readonly verdict: 'within' | 'missed' | 'not judged'
}

/** Judges the figures of one workload. A build with failed requests counts for nothing. */
export function judge(workload: Workload, series: readonly Series[]): Row {
  const ours = best(series.filter(({ kind }) => kind === 'headgate'))
  const peers = best(series.filter(({ kind }) => kind === 'nginx' || kind === 'haproxy'))
  const ratio = ours === undefined || peers === undefined ? undefined : ours / peers
  if (ratio === undefined || workload.bar === undefined) {
    return { workload, series, ratio, verdict: 'not judged' }
  }
  return { workload, series, ratio, verdict: ratio <= workload.bar ? 'within' : 'missed' }
}

function best(series: readonly Series[]): number | undefined {
  const medians = series.filter((one) => errorsOf(one) === 0).map((one) => cpuMedian(one))
  return medians.length === 0 ? undefined : Math.min(...medians)
}

function cpuMedian({ rounds }: Series): number {
  return median(rounds.map(({ cpuUsPerRequest }) => cpuUsPerRequest))
}

function errorsOf({ rounds }: Series): number {
  return rounds.reduce((sum, { errors }) => sum + errors, 0)
}

/** What the figures depend on. */
export function machine(): string {
  const [first] = cpus()
  const gib = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} x ${first?.model ?? 'unknown CPU'}, ${gib} GiB, Linux ${release()}`
}

export interface Facts {
  readonly machine: string
  readonly started: string
  readonly rounds: number
  readonly seconds: number
  readonly missing: readonly string[]
}

/** The result as Markdown: CPU microseconds per request, median (lowest-highest). */
export function markdown(facts: Facts, rows: readonly Row[]): string {
  const labels = [...new Set(rows.flatMap(({ series }) => series.map(({ label }) => label)))]
  const lines = [
    `# Comparison of ${facts.started}`,
    '',
    `${facts.machine}. ${facts.rounds} interleaved rounds of ${facts.seconds} s.`,
    'CPU microseconds per request of all threads of the proxy, median (lowest-highest).',
    'Ratio: Headgate over the better of nginx and HAProxy.',
    '',
    `| workload | ${labels.join(' | ')} | ratio | bar |`,
    `|---|${'---|'.repeat(labels.length + 2)}`,
    ...rows.map((row) => tableLine(row, labels)),
    '',
    ...facts.missing.map((line) => `Not measured: ${line}.`),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function tableLine({ workload, series, ratio, verdict }: Row, labels: readonly string[]): string {
  const cells = labels.map((label) => cell(series.find((one) => one.label === label)))
  const shown = ratio === undefined ? '' : ratio.toFixed(2)
  const bar = workload.bar === undefined ? '' : `${workload.bar.toFixed(2)} ${verdict}`
  return `| ${[workload.title, ...cells, shown, bar].join(' | ')} |`
}

function cell(series: Series | undefined): string {
  if (series === undefined) return ''
  const values = series.rounds.map(({ cpuUsPerRequest }) => cpuUsPerRequest)
  const errors = errorsOf(series)
  const spread = `${figure(Math.min(...values))}-${figure(Math.max(...values))}`
  return `${figure(median(values))} (${spread})${errors > 0 ? `, ${errors} errors` : ''}`
}

function figure(us: number): string {
  return us < 100 ? us.toFixed(1) : us.toFixed(0)
}

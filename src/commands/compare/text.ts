import { quote } from '#src/annotations/schema.ts'
import { count } from '../lint.ts'
import type { PlannedRequest } from './planned-request.ts'
import type { Comparison, Differing } from './run-comparison.ts'

/** A comparison, and what of the requests was left out before it. */
export interface ComparisonReport extends Comparison {
  readonly scheme: string
  /** Requests that there were, of which the first `compared` were sent. */
  readonly planned: number
  /** Reasons why requests were left out, with their numbers. */
  readonly leftOut: ReadonlyMap<string, number>
}

/** Requests that the text shows; the JSON has them all. */
const shownMax = 200

/** The report for people: each request that differs, then the sums. */
export function comparisonText(report: ComparisonReport): string {
  const { differing, unsteady, compared, planned, scheme, leftOut } = report
  const shown = differing.slice(0, shownMax).map((one) => differingText(one, scheme))
  const hidden = differing.length - shown.length
  const sums = countWhats(differing).map(([what, number]) => `  ${what}: ${number}\n`)
  return [
    ...shown,
    hidden > 0 ? `… and ${hidden} more: --output json has them all\n` : '',
    ...(sums.length > 0 ? ['\nDifferences by kind:\n', ...sums] : []),
    ...[...leftOut].map(([reason, number]) => `${count(number, 'request')} left out: ${reason}\n`),
    planned > compared ? `the first ${compared} of ${planned} requests; --count asks more\n` : '',
    unsteady.length > 0
      ? `${count(unsteady.length, 'request')} differed once, and not when asked again\n`
      : '',
    `${count(compared, 'request')} compared: ${differing.length} ${differing.length === 1 ? 'differs' : 'differ'}\n`,
  ].join('')
}

function differingText({ request, differences }: Differing, scheme: string): string {
  const { method, host, target, from } = request
  const lines = differences.map(
    ({ what, old, new: now }) => `  ${what}: ${shownValue(old)} -> ${shownValue(now)}\n`,
  )
  const fields = fieldsText(request)
  return `${method} ${scheme}//${host}${target}${fields}  # ${from}\n${lines.join('')}`
}

function fieldsText({ fields }: PlannedRequest): string {
  let text = ''
  for (let i = 0; i < fields.length; i += 2) text += ` ${fields[i]}: ${fields[i + 1]}`
  return text === '' ? '' : ` (${text.trim()})`
}

function shownValue(value: string): string {
  if (value === '') return 'none'
  return /^[\w.-]+$/.test(value) ? value : quote(value)
}

/** How many requests differ in what, the most frequent first. */
function countWhats(differing: readonly Differing[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { differences } of differing) {
    for (const { what } of differences) counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
}

/** The report for programs. */
export function comparisonJson(report: ComparisonReport): string {
  const { compared, planned, leftOut, differing, unsteady } = report
  return `${JSON.stringify(
    {
      compared,
      planned,
      leftOut: Object.fromEntries(leftOut),
      counts: Object.fromEntries(countWhats(differing)),
      differing: differing.map(plain),
      unsteady: unsteady.map(plain),
    },
    null,
    2,
  )}\n`
}

function plain({ request, differences }: Differing): object {
  const { method, host, target, fields, from } = request
  return { method, host, target, fields, from, differences }
}

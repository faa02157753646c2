import { printableLine } from '#src/observe/printable.ts'
import { count } from '../lint.ts'
import { outcomes, verdicts } from './review.ts'
import type { Review, Verdict } from './review.ts'
import type { KeyCount, Summary } from './summary.ts'

/** What `migrate` found, whole. */
export interface Migration {
  /** Problems of files, one line each. */
  readonly fileProblems: readonly string[]
  readonly reviews: readonly Review[]
  readonly keys: readonly KeyCount[]
  readonly summary: Summary
  /** Ingresses of other controllers, by class. */
  readonly others: ReadonlyMap<string, number>
  /** The ConfigMap that was judged, as namespace/name, and whether it was found by its name alone. */
  readonly configMap: { readonly name: string; readonly guessed: boolean } | undefined
}

const verdictWidth = Math.max(...verdicts.map(({ length }) => length))

/** The report for people: what will hurt stands first, the sums last. */
export function migrationText(migration: Migration): string {
  const { fileProblems, reviews, keys, summary, others, configMap } = migration
  const closing = [
    ...(configMap?.guessed === true
      ? [`ConfigMap ${configMap.name} was taken for that of --configmap, by its name`]
      : []),
    ...[...others].map(
      ([name, number]) =>
        `${count(number, 'Ingress', 'Ingresses')} of class ${name}: another controller's, not judged`,
    ),
    `${summary.keysUsed} of ingress-nginx's ${summary.keysKnown} annotations are used; ${summary.keysInForce} of them are in force everywhere`,
    `${count(summary.objects, 'object')} to move: ${sums(summary.outcomes, outcomes)}; settings: ${sums(summary.verdicts, verdicts)}`,
  ]
  return [
    ...fileProblems,
    ...reviews.filter(saysSomething).map(reviewText),
    keyTable(keys),
    ...closing.map((text) => `${text}\n`),
  ].join('')
}

function saysSomething({ settings, problems }: Review): boolean {
  return settings.length + problems.length > 0
}

function reviewText({ kind, namespace, name, file, ...review }: Review): string {
  const { outcome, settings, problems } = review
  const where = file === '' ? '' : ` (${file})`
  const lines = [
    ...problems.map(({ severity, field, message }) =>
      line(severity, field === '' ? message : `${field}: ${message}`),
    ),
    ...settings.map(({ key, verdict, message }) =>
      line(verdict, message === '' ? key : `${key}: ${message}`),
    ),
  ]
  return `${kind} ${namespace}/${name}${where}: ${outcome}\n${lines.join('')}`
}

function line(head: string, text: string): string {
  return `  ${head.padEnd(verdictWidth)}  ${printableLine(text)}\n`
}

function keyTable(keys: readonly KeyCount[]): string {
  if (keys.length === 0) return ''
  const width = Math.max(3, ...keys.map(({ key }) => key.length))
  const row = (first: string, cells: readonly string[]): string =>
    `${[first.padEnd(width), ...cells.map((cell) => cell.padStart(verdictWidth))].join('  ').trimEnd()}\n`
  return (
    `\n${row('key', ['used', ...verdicts])}` +
    keys
      .map(({ key, used, verdicts: counts }) =>
        row(key, [String(used), ...verdicts.map((verdict) => shown(counts[verdict]))]),
      )
      .join('') +
    '\n'
  )
}

function shown(number: number): string {
  return number === 0 ? '' : String(number)
}

function sums<Name extends string>(
  counts: Readonly<Record<Name, number>>,
  names: readonly Name[],
): string {
  const given = names.filter((name) => counts[name] > 0)
  return given.map((name) => `${counts[name]} ${name}`).join(', ') || 'none'
}

/** The report for programs: the same, with every setting of every object. */
export function migrationJson(migration: Migration): string {
  const { fileProblems, reviews, keys, summary, others, configMap } = migration
  const report = {
    summary,
    configMap: configMap?.name ?? '',
    otherClasses: Object.fromEntries(others),
    problems: fileProblems.map((text) => text.trimEnd()),
    keys,
    objects: reviews,
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

/** The gravest there is, for the exit code. */
export function gravestOf({ fileProblems, reviews }: Migration): 'error' | 'warning' | '' {
  const found = new Set<string>(fileProblems.length > 0 ? ['error'] : [])
  for (const { settings, problems } of reviews) {
    for (const { verdict } of settings) found.add(severityOf[verdict])
    for (const { severity } of problems) found.add(severity)
  }
  if (found.has('error')) return 'error'
  return found.has('warning') ? 'warning' : ''
}

const severityOf: Readonly<Record<Verdict, 'error' | 'warning' | ''>> = {
  'not in force': 'error',
  differs: 'warning',
  'no effect': '',
  translated: '',
  honoured: '',
}

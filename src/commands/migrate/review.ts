import { diagnosticCodes } from '#src/annotations/diagnostics.ts'
import type { Diagnostic, DiagnosticCode } from '#src/annotations/diagnostics.ts'
import type { IngressOutcome } from '#src/compile/outcome.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'

/** What becomes of one annotation or option, gravest first. */
export const verdicts = ['not in force', 'differs', 'no effect', 'translated', 'honoured'] as const
export type Verdict = (typeof verdicts)[number]

/** What becomes of one object, gravest first. */
export const outcomes = ['not served', 'answers 503', 'partly', 'differs', 'the same'] as const
export type Outcome = (typeof outcomes)[number]

/** One setting that ingress-nginx would read. */
export interface JudgedSetting {
  /** As written: an annotation with its prefix, or a key of the ConfigMap. */
  readonly key: string
  readonly verdict: Verdict
  /** Why, '' for what is honoured. */
  readonly message: string
}

/** What else was found about an object. */
export type Problem = Pick<Diagnostic, 'severity' | 'code' | 'field' | 'message'>

export interface Review {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly file: string
  readonly outcome: Outcome
  readonly settings: readonly JudgedSetting[]
  readonly problems: readonly Problem[]
}

const milder: Readonly<Partial<Record<DiagnosticCode, Verdict>>> = {
  'annotation-differs': 'differs',
  'annotation-unused': 'no effect',
  'snippet-translated': 'translated',
  'option-differs': 'differs',
  'option-unused': 'no effect',
}

/** Judges one object by the findings about it; `keys` are its settings. */
export function reviewOf(
  { kind, metadata, file }: AnyObject,
  keys: readonly string[],
  findings: readonly Diagnostic[],
  ownOutcome: IngressOutcome,
): Review {
  const known = new Set(keys)
  const byKey = Map.groupBy(findings, ({ field }) => field)
  const settings = keys.map((key) => judge(key, byKey.get(key) ?? []))
  return {
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    file,
    outcome: outcomeOf(findings, ownOutcome),
    settings: settings.toSorted((a, b) => verdictRank(a.verdict) - verdictRank(b.verdict)),
    problems: findings
      .filter(({ field }) => !known.has(field))
      .map(({ severity, code, field, message }) => ({ severity, code, field, message })),
  }
}

function judge(key: string, findings: readonly Diagnostic[]): JudgedSetting {
  let verdict: Verdict = 'honoured'
  for (const { code } of findings) {
    const found = milder[code] ?? 'not in force'
    if (verdictRank(found) < verdictRank(verdict)) verdict = found
  }
  return { key, verdict, message: findings.map(({ message }) => message).join('; ') }
}

const closing = 'The routes of the Ingress answer 503.'

function outcomeOf(findings: readonly Diagnostic[], own: IngressOutcome): Outcome {
  if (own === 'dropped') return 'not served'
  if (own === 'closed') return 'answers 503'
  if (findings.some(({ code }) => diagnosticCodes[code].effect === closing)) return 'answers 503'
  if (findings.some(({ severity }) => severity === 'error')) return 'partly'
  return findings.some(({ severity }) => severity === 'warning') ? 'differs' : 'the same'
}

function verdictRank(verdict: Verdict): number {
  return verdicts.indexOf(verdict)
}

/** What will hurt first: by outcome, then by number of settings that are not in force, then by name. */
export function sortReviews(reviews: readonly Review[]): Review[] {
  return reviews.toSorted(
    (a, b) =>
      outcomes.indexOf(a.outcome) - outcomes.indexOf(b.outcome) ||
      lostSettings(b) - lostSettings(a) ||
      compareText(nameOf(a), nameOf(b)),
  )
}

function lostSettings({ settings }: Review): number {
  return settings.filter(({ verdict }) => verdict === 'not in force').length
}

function nameOf({ kind, namespace, name }: Review): string {
  return `${namespace}/${name}/${kind}`
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

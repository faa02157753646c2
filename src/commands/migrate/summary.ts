import { ingressNginxPending } from '#src/annotations/ingress-nginx.ts'
import { annotationSchema } from '#src/compile/values/schema.ts'
import { outcomes, verdicts } from './review.ts'
import type { Outcome, Review, Verdict } from './review.ts'

/** How often a key is used, and what becomes of it. */
export interface KeyCount {
  /** Without prefix. */
  readonly key: string
  readonly used: number
  readonly verdicts: Readonly<Record<Verdict, number>>
}

export interface Summary {
  /** Objects with settings of ingress-nginx, or that are not served as they were. */
  readonly objects: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly verdicts: Readonly<Record<Verdict, number>>
  /** Annotations that ingress-nginx has in all. */
  readonly keysKnown: number
  /** Those of them that stand in these objects. */
  readonly keysUsed: number
  /** Those of them that are in force, or need no effect, wherever they stand. */
  readonly keysInForce: number
}

/** Every annotation that ingress-nginx has, without prefix. */
export function compatibleKeys(): ReadonlySet<string> {
  const own = Object.entries(annotationSchema).filter(
    ([, { compatibility }]) => compatibility !== 'own',
  )
  return new Set([...own.map(([key]) => key), ...Object.keys(ingressNginxPending)])
}

/** Counts by key, worst first, then the most used. */
export function countKeys(reviews: readonly Review[]): KeyCount[] {
  const counts = new Map<string, Record<Verdict, number>>()
  for (const { settings } of reviews) {
    for (const { key, verdict } of settings) {
      const bare = key.slice(key.lastIndexOf('/') + 1)
      const count = counts.get(bare) ?? zeros(verdicts)
      count[verdict]++
      counts.set(bare, count)
    }
  }
  return [...counts]
    .map(([key, byVerdict]) => ({ key, used: sum(byVerdict), verdicts: byVerdict }))
    .toSorted(
      (a, b) =>
        gravest(a) - gravest(b) || b.used - a.used || (a.key < b.key ? -1 : Number(a.key > b.key)),
    )
}

function gravest({ verdicts: counts }: KeyCount): number {
  return verdicts.findIndex((verdict) => counts[verdict] > 0)
}

export function summarize(reviews: readonly Review[], keys: readonly KeyCount[]): Summary {
  const known = compatibleKeys()
  const byOutcome = zeros(outcomes)
  const byVerdict = zeros(verdicts)
  for (const { outcome, settings } of reviews) {
    byOutcome[outcome]++
    for (const { verdict } of settings) byVerdict[verdict]++
  }
  const used = keys.filter(({ key }) => known.has(key))
  return {
    objects: reviews.length,
    outcomes: byOutcome,
    verdicts: byVerdict,
    keysKnown: known.size,
    keysUsed: used.length,
    keysInForce: used.filter(({ verdicts: counts }) => counts['not in force'] === 0).length,
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

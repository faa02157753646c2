import type { Directive } from './directives.ts'
import type { Level, Place } from './level.ts'

/** A directive of nginx: where it may stand, and what is made of it. */
export type DirectiveRow = TranslatedRow | UnusedRow | RefusedRow

interface TranslatedRow {
  readonly kind: 'translated'
  /** Where it may stand. */
  readonly places: readonly Place[]
  /** How many words may follow its name. */
  readonly words: readonly [min: number, max: number]
  readonly block?: true
  /** What becomes of it. */
  readonly doc: string
  /** Adds it to the level; the result is a problem. */
  read(directive: Directive, level: Level): string | undefined
}

interface UnusedRow {
  readonly kind: 'unused'
  /** Why it needs no effect. */
  readonly doc: string
}

interface RefusedRow {
  readonly kind: 'refused'
  /** Why it cannot be translated, or what to use instead. */
  readonly doc: string
}

export type DirectiveTable = Readonly<Record<string, DirectiveRow>>

import type {
  AccessRule,
  AddedField,
  ErrorPage,
  Expiry,
  FieldEdit,
  OwnLocation,
  Program,
  Scope,
  Step,
  Value,
} from '#src/policies/snippets/program.ts'
import type { LineProblem } from './directives.ts'

/** Where a directive stands. */
export type Place =
  | 'location'
  | 'location-if'
  | 'server'
  | 'server-if'
  | 'server-location'
  | 'server-location-if'
  | 'auth'

/** An annotation that says what a directive says. */
export interface Preset {
  readonly key: string
  readonly text: string
}

/** What all levels of one snippet have in common. */
export interface Shared {
  /** Variables that the snippet sets somewhere, lower case. */
  readonly locals: ReadonlySet<string>
  readonly problems: LineProblem[]
  /** Lines without effect, and why. */
  readonly notes: LineProblem[]
  readonly presets: Map<string, string>
  /** Why an annotation may not have this value; undefined: it may. */
  readonly presetProblem: (preset: Preset) => string | undefined
}

type Mutable<Part> = { -readonly [Key in keyof Part]: Part[Key] }

/** A scope while its directives are read. */
interface ScopeDraft extends Mutable<Pick<Scope, 'expires' | 'charset'>> {
  readonly added: AddedField[]
  readonly edits: FieldEdit[]
  readonly inputEdits: FieldEdit[]
  readonly errorPages: ErrorPage[]
}

/** A program while its directives are read. */
export interface ProgramDraft extends Mutable<
  Pick<Program, 'defaultType' | 'cookiePath' | 'gzip' | 'br'>
> {
  readonly steps: Step[]
  readonly scopes: ScopeDraft[]
  readonly requestFields: { readonly name: string; readonly value: Value }[]
  readonly hidden: string[]
  readonly access: AccessRule[]
  readonly locations: OwnLocation[]
}

/** Where the directives of one level go. */
export interface Level {
  readonly place: Place
  readonly shared: Shared
  readonly program: ProgramDraft
  readonly scope: ScopeDraft
  /** Of the level, or of the `if` in it. */
  readonly steps: Step[]
}

function newScope(): ScopeDraft {
  return {
    added: [],
    edits: [],
    inputEdits: [],
    expires: undefined satisfies Expiry | undefined,
    charset: undefined,
    errorPages: [],
  }
}

export function newLevel(place: Place, shared: Shared): Level {
  const scope = newScope()
  const steps: Step[] = []
  const program: ProgramDraft = {
    steps,
    scopes: [scope],
    requestFields: [],
    hidden: [],
    access: [],
    defaultType: 'text/html',
    cookiePath: undefined,
    gzip: undefined,
    br: undefined,
    locations: [],
  }
  return { place, shared, program, scope, steps }
}

/** The body of an `if`, and the number of its scope. */
export function bodyOf(
  level: Level,
  place: Place,
): { readonly body: Level; readonly scope: number } {
  const scope = newScope()
  const { scopes } = level.program
  scopes.push(scope)
  return { body: { ...level, place, scope, steps: [] }, scope: scopes.length - 1 }
}

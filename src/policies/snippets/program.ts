import type { TemplatePart } from '#src/policies/template.ts'

/** A part of a value: as in templates, or a variable that the snippet itself sets. */
export type ValuePart = TemplatePart | { readonly local: string }

/** Text with values of the request in it. Plain data. */
export type Value = readonly ValuePart[]

/** A condition of `if`. */
export interface Condition {
  readonly variable: ValuePart
  /** `set`: neither empty nor 0. */
  readonly test: 'set' | 'equals' | 'matches'
  readonly negated: boolean
  /** For `equals`. */
  readonly value: Value
  /** For `matches`. */
  readonly pattern: string
  readonly anyCase: boolean
}

/** A step of the rewrite phase. */
export type Step =
  | { readonly step: 'set'; readonly name: string; readonly value: Value }
  | {
      readonly step: 'if'
      readonly condition: Condition
      /** The scope that is in force from here on. */
      readonly scope: number
      readonly body: readonly Step[]
    }
  | { readonly step: 'break' }
  | ReturnStep
  | RewriteStep

/** Ends the request with an answer; status 444 closes the connection without one. */
export interface ReturnStep {
  readonly step: 'return'
  readonly status: number
  /** A URL or path for redirects, else the body; undefined: the usual one. */
  readonly text: Value | undefined
}

export interface RewriteStep {
  readonly step: 'rewrite'
  readonly pattern: string
  /** What the path becomes; `query` undefined: the replacement names none. */
  readonly path: Value
  readonly query: Value | undefined
  /** The query of the request stands behind. */
  readonly keepsQuery: boolean
  /** `next`: go on, and look for the location at the end. A number: redirect with this status. */
  readonly ends: 'next' | 'last' | 'break' | number
}

/** A field that is added to answers; without `always` to those that nginx's list of statuses holds. */
export interface AddedField {
  readonly name: string
  readonly value: Value
  readonly always: boolean
}

/** A field that is replaced, or taken away where the value is empty. */
export interface FieldEdit {
  /** A `*` at the end stands for any rest, when clearing. */
  readonly name: string
  readonly value: Value
  /** Only where the field is there. */
  readonly present: boolean
  /** Only in answers with one of these statuses, media types; empty: in all. */
  readonly statuses: readonly number[]
  readonly types: readonly string[]
}

/** Where answers of our own, with these statuses, send the client instead. */
export interface ErrorPage {
  readonly statuses: readonly number[]
  readonly status: number
  readonly url: Value
}

/** What is done to an answer, in a location or in the `if` that was entered last. */
export interface Scope {
  readonly added: readonly AddedField[]
  readonly edits: readonly FieldEdit[]
  /** Of the request. */
  readonly inputEdits: readonly FieldEdit[]
  /** nginx's `expires`; undefined: nothing is said. */
  readonly expires: Expiry | undefined
  readonly charset: string | undefined
  readonly errorPages: readonly ErrorPage[]
}

/** `max` and `epoch` are fixed dates; `off` says nothing. Seconds may be negative. */
export type Expiry = 'off' | 'max' | 'epoch' | { readonly seconds: number }

/** An address rule: the first that holds the client's address decides. */
export interface AccessRule {
  readonly allow: boolean
  readonly cidr: string
}

/** A block of a server that answers by itself. */
export interface OwnLocation {
  readonly match: 'exact' | 'prefix' | 'prefix-first' | 'regex'
  readonly path: string
  readonly anyCase: boolean
  readonly program: Program
}

/** What a level says of one coding of answers; what is absent stays as it is around the level. */
export interface CodingEdit {
  readonly on?: boolean
  readonly level?: number
  readonly bytesMin?: number
  readonly types?: readonly string[]
}

/** What the directives of one level come to. */
export interface Program {
  readonly steps: readonly Step[]
  /** The level itself, then the bodies of its `if`s. */
  readonly scopes: readonly Scope[]
  readonly requestFields: readonly { readonly name: string; readonly value: Value }[]
  readonly hidden: readonly string[]
  readonly access: readonly AccessRule[]
  /** Media type of `return` with a text. */
  readonly defaultType: string
  readonly locations: readonly OwnLocation[]
  /** What the Path of cookies begins with, and what stands there instead, attributes included. */
  readonly cookiePath: { readonly from: string; readonly to: string } | undefined
  readonly gzip: CodingEdit | undefined
  readonly br: CodingEdit | undefined
}

export const emptyScope: Scope = {
  added: [],
  edits: [],
  inputEdits: [],
  expires: undefined,
  charset: undefined,
  errorPages: [],
}

export const emptyProgram: Program = {
  steps: [],
  scopes: [emptyScope],
  requestFields: [],
  hidden: [],
  access: [],
  defaultType: 'text/html',
  locations: [],
  cookiePath: undefined,
  gzip: undefined,
  br: undefined,
}

/** A level inside another: lists of its own replace those around it, edits come behind them. */
export function within(outer: Scope, inner: Scope): Scope {
  return {
    added: inner.added.length > 0 ? inner.added : outer.added,
    edits: [...outer.edits, ...inner.edits],
    inputEdits: [...outer.inputEdits, ...inner.inputEdits],
    expires: inner.expires ?? outer.expires,
    charset: inner.charset ?? outer.charset,
    errorPages: inner.errorPages.length > 0 ? inner.errorPages : outer.errorPages,
  }
}

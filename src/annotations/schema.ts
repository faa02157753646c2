import type { DiagnosticCode } from './diagnostics.ts'
import type { ValueType } from './types.ts'

/** What a namespace user could do to others with a value, as ingress-nginx ranks it. */
export type Risk = 'low' | 'medium' | 'high' | 'critical'

/** How far a value reaches: the paths of its Ingress, all of a host, or the endpoints of a Service. */
export type Scope = 'path' | 'host' | 'service'

/** How a key relates to the key of the same name in ingress-nginx. */
export type Compatibility =
  | 'same'
  /** nginx's configuration as text: each directive of a list is translated, others are refused by line. */
  | 'translated'
  /** A key of Headgate alone; as an annotation it is read under `headgate.dev/` only. */
  | 'own'
  | { readonly differs: string }
  /** Accepted without effect, because of this. */
  | { readonly unused: string }

/** One setting that users may write. Parsing, lint, JSON schema and reference page derive from it. */
export interface Setting<Value> {
  readonly type: ValueType<Value>
  readonly default: NoInfer<Value>
  /** One or two sentences. */
  readonly doc: string
  /** A valid text. */
  readonly example: string
  readonly compatibility: Compatibility
  /** An empty text is a value, and does not stand for the default. */
  readonly emptyIsValue?: true
  /** Texts that users of ingress-nginx know and that are refused here, in lower case, with the reason. */
  readonly refused?: Readonly<Record<string, string>>
  /** A text that is invalid or refused closes the routes (503): without the value they would be open. */
  readonly closes?: true
}

/** One annotation. */
export interface Annotation<Value> extends Setting<Value> {
  readonly risk: Risk
  readonly scope: Scope
  /** A ConfigMap key of the same name, read with the same type, replaces the default. */
  readonly option?: true
  /** Kinds of object that may carry it; Ingress alone when absent. */
  readonly on?: readonly AnnotatedKind[]
}

export type AnnotatedKind = 'Ingress' | 'Service' | 'EndpointSlice'

/** Annotations that are read together; `Values` has one member for each key. */
export type AnnotationTable<Values> = {
  readonly [Key in keyof Values]: Annotation<Values[Key]>
}

/** Keys of the ConfigMap that are read together. */
export type OptionTable<Values> = {
  readonly [Key in keyof Values]: Setting<Values[Key]>
}

export type AnyAnnotations = Readonly<Record<string, Annotation<unknown>>>
export type AnyOptions = Readonly<Record<string, Setting<unknown>>>

/** Returns its argument; exists so that TypeScript infers the type of the values. */
export function annotationTable<Values extends object>(
  table: AnnotationTable<Values>,
): AnnotationTable<Values> {
  return table
}

/** As `annotationTable`, for the ConfigMap. */
export function optionTable<Values extends object>(
  table: OptionTable<Values>,
): OptionTable<Values> {
  return table
}

/** The values that a table describes. */
export type ValuesOf<Table> =
  Table extends OptionTable<infer Values extends object> ? Values : never

/** One text that a user wrote, and under which full key. */
export interface SettingText {
  readonly key: string
  readonly text: string
}

/** Reports a finding about one key of the object at hand. */
export type ReportField = (code: DiagnosticCode, field: string, message: string) => void

/** Codes that differ between annotations and options, though the reading is the same. */
export interface ReadingCodes {
  readonly invalid: DiagnosticCode
  readonly refused: DiagnosticCode
  readonly unused: DiagnosticCode
  readonly differs: DiagnosticCode
}

export const annotationCodes: ReadingCodes = {
  invalid: 'annotation-invalid',
  refused: 'annotation-refused',
  unused: 'annotation-unused',
  differs: 'annotation-differs',
}

export const optionCodes: ReadingCodes = {
  invalid: 'option-invalid',
  refused: 'option-refused',
  unused: 'option-unused',
  differs: 'option-differs',
}

/** How a reading reports. */
export interface Reading {
  readonly codes: ReadingCodes
  readonly report: ReportField
  /** Called when a value that protects a route cannot be read. */
  readonly close?: () => void
}

/**
 * Reads texts against a table: the values that were given and are valid. Total: whatever else stands
 * there is reported and left out, so that a default of the caller's holds.
 */
export function readGiven<Values extends object>(
  table: OptionTable<Values>,
  texts: ReadonlyMap<string, SettingText>,
  reading: Reading,
): Partial<Values> {
  const values: Record<string, unknown> = {}
  for (const [key, written] of texts) {
    const setting = Object.hasOwn(table, key) ? (table as AnyOptions)[key] : undefined
    const value = setting === undefined ? undefined : readOne(setting, written, reading)
    if (value !== undefined) values[key] = value
  }
  return values as Partial<Values>
}

/** A value for every key: the last layer that has one, else the table's own default. */
export function complete<Values extends object>(
  table: OptionTable<Values>,
  ...layers: readonly Readonly<Record<string, unknown>>[]
): Values {
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries<Setting<unknown>>(table)) {
    values[key] = setting.default
    for (const layer of layers) {
      if (Object.hasOwn(layer, key)) values[key] = layer[key]
    }
  }
  return values as Values
}

function readOne(setting: Setting<unknown>, written: SettingText, reading: Reading): unknown {
  const value = readValue(setting, written, reading)
  if (value === undefined && setting.closes === true) reading.close?.()
  return value
}

function readValue(
  setting: Setting<unknown>,
  { key, text }: SettingText,
  { codes, report }: Reading,
): unknown {
  const { type, compatibility } = setting
  const trimmed = text.trim()
  if (trimmed === '' && setting.emptyIsValue !== true) {
    report(codes.unused, key, 'is empty, so the default holds')
    return undefined
  }
  const reason = refusal(setting, trimmed.toLowerCase())
  if (reason !== undefined) {
    report(codes.refused, key, `${quote(trimmed)} is refused: ${reason}`)
    return undefined
  }
  const value = type.parse(trimmed)
  if (value === undefined) {
    const why = type.explain?.(trimmed)
    const detail = why === undefined ? '' : ` (${why})`
    report(codes.invalid, key, `must be ${type.expects}, got ${quote(trimmed)}${detail}`)
    return undefined
  }
  const warning = type.warn?.(trimmed)
  if (warning !== undefined) report(codes.differs, key, warning)
  if (typeof compatibility === 'object') {
    if ('differs' in compatibility) report(codes.differs, key, compatibility.differs)
    else report(codes.unused, key, compatibility.unused)
  }
  return value
}

function refusal({ refused }: Setting<unknown>, text: string): string | undefined {
  return refused !== undefined && Object.hasOwn(refused, text) ? refused[text] : undefined
}

const shownMax = 120

/** A user's text in a message: quoted, and cut when long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)
}

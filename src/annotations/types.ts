/** How one kind of value is written. Parsing, errors, JSON schema and reference page read this. */
export interface ValueType<Value> {
  /** Completes the sentence "must be …". */
  readonly expects: string
  readonly schema: TextSchema
  /** Undefined means invalid. Total: any text is allowed, and none makes it throw. */
  parse(text: string): Value | undefined
  /** The value as a user writes it; `parse` reads it back. */
  format(value: Value): string
  /** Why this invalid text is invalid, where `expects` alone leaves the user guessing. */
  explain?(text: string): string | undefined
  /** What of this valid text is not taken as it stands. */
  warn?(text: string): string | undefined
}

/** What JSON Schema can say about the text of a value; every annotation is a string. */
export interface TextSchema {
  readonly enum?: readonly string[]
  readonly pattern?: string
}

const truths = ['true', '1', 't', 'T', 'TRUE', 'True']
const falsehoods = ['false', '0', 'f', 'F', 'FALSE', 'False']

/** A boolean in every spelling that Go's strconv.ParseBool takes, because ingress-nginx uses it. */
export const bool: ValueType<boolean> = {
  expects: '"true" or "false"',
  schema: { enum: [...truths, ...falsehoods] },
  parse(text) {
    if (truths.includes(text)) return true
    return falsehoods.includes(text) ? false : undefined
  },
  format: String,
}

/** A whole number in a range, both ends included. */
export function integer(min: number, max: number): ValueType<number> {
  return {
    expects: `a whole number from ${min} to ${max}`,
    schema: { pattern: '^[+-]?\\d+$' },
    parse(text) {
      if (!/^[+-]?\d{1,16}$/.test(text)) return undefined
      const value = Number(text)
      return value >= min && value <= max ? value : undefined
    },
    format: String,
  }
}

/** One of some whole numbers, e.g. status codes. */
export function integerOf<const Value extends number>(values: readonly Value[]): ValueType<Value> {
  return {
    expects: `one of ${values.join(', ')}`,
    schema: { enum: values.map(String) },
    parse: (text) => values.find((value) => String(value) === text),
    format: String,
  }
}

/** One of some words, compared without regard to case. */
export function oneOf<const Name extends string>(names: readonly Name[]): ValueType<Name> {
  const byFolded = new Map(names.map((name) => [name.toLowerCase(), name]))
  return {
    expects: `one of ${names.join(', ')}`,
    schema: { pattern: `^(?:${names.map(eitherCase).join('|')})$` },
    parse: (text) => byFolded.get(text.toLowerCase()),
    format: (name) => name,
  }
}

/** JSON Schema patterns know no flag for "any case". */
function eitherCase(name: string): string {
  return name.replace(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`)
}

/** Items between commas. Empty items are dropped, so that a trailing comma does no harm. */
export function listOf<Value>(item: ValueType<Value>): ValueType<readonly Value[]> {
  return {
    expects: `a comma-separated list, each ${item.expects}`,
    schema: {},
    parse(text) {
      const values: Value[] = []
      for (const part of partsOf(text)) {
        const value = item.parse(part)
        if (value === undefined) return undefined
        values.push(value)
      }
      return values
    },
    format: (values) => values.map((value) => item.format(value)).join(','),
    explain(text) {
      const bad = partsOf(text).find((part) => item.parse(part) === undefined)
      return bad === undefined ? undefined : `${JSON.stringify(bad)} is not`
    },
  }
}

function partsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

import { FieldChange } from '#src/exchange/field-change.ts'
import { fieldText } from '#src/exchange/field-text.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { fieldId } from '#src/exchange/known-fields.ts'
import type { FieldId } from '#src/exchange/known-fields.ts'
import { PreparedFields, preparedNames } from '#src/exchange/prepared-fields.ts'
import { linkTemplate, staticText } from './template.ts'
import type { Template } from './template.ts'
import type { VariableSource } from './variables.ts'

/** A field and the template of its value. Plain data. */
export interface FieldTemplate {
  readonly name: string
  readonly value: Template
}

/** Changes the fields of one message. */
export type FieldEdit = (fields: Fields, source: VariableSource) => void

/** What sets these fields where no value of a request is in them; undefined: some is. */
export function knownChange(list: readonly FieldTemplate[]): FieldChange | undefined {
  let change = FieldChange.none
  for (const { name, value } of list) {
    const text = staticText(value)
    if (text === undefined) return undefined
    const next = text === '' ? FieldChange.removing([name]) : FieldChange.setting([name, text])
    change = change.followedBy(next)
  }
  return change
}

/**
 * What sets these fields, in their order; a value that comes to nothing takes its field away. Values are
 * read before anything is changed: a variable is what the client sent, as in nginx.
 */
export function linkFieldEdits(list: readonly FieldTemplate[]): FieldEdit {
  const change = knownChange(list)
  if (change !== undefined) return (fields) => change.apply(fields)
  const removed = preparedNames(list.map(({ name }) => name))
  const steps = new EditSteps(list)
  return (fields, source) => {
    steps.render(source)
    fields.removePrepared(removed)
    steps.append(fields)
  }
}

/** The fields that come, in their order. What comes twice the same way is one text from then on. */
class EditSteps {
  readonly #steps: readonly (PreparedFields | RenderedField)[]
  readonly #rendered: readonly RenderedField[]
  #same = false
  #whole: PreparedFields | undefined

  constructor(list: readonly FieldTemplate[]) {
    this.#steps = linkSteps(list)
    this.#rendered = this.#steps.filter((step) => step instanceof RenderedField)
  }

  /** Reads the values, for `append`. */
  render(source: VariableSource): void {
    this.#same = true
    for (const field of this.#rendered) if (!field.render(source)) this.#same = false
    if (!this.#same) this.#whole = undefined
  }

  append(fields: Fields): void {
    if (this.#same) {
      this.#whole ??= PreparedFields.of(this.#steps.flatMap((step) => pairsOf(step)))
      fields.appendPrepared(this.#whole)
      return
    }
    for (const step of this.#steps) {
      if (step instanceof RenderedField) step.append(fields)
      else fields.appendPrepared(step)
    }
  }
}

function pairsOf(step: PreparedFields | RenderedField): readonly string[] {
  if (step instanceof RenderedField) return step.pair
  return step.names.flatMap((name, i) => [name, step.values[i] as string])
}

/** The last of each name; those that are known in advance, and follow one another, together. */
function linkSteps(list: readonly FieldTemplate[]): (PreparedFields | RenderedField)[] {
  const places = new Map(list.map(({ name }, i) => [name.toLowerCase(), i]))
  const steps: (PreparedFields | RenderedField)[] = []
  let known: string[] = []
  const close = (): void => {
    if (known.length > 0) steps.push(PreparedFields.of(known))
    known = []
  }
  for (const [i, { name, value }] of list.entries()) {
    if (places.get(name.toLowerCase()) !== i) continue
    const text = staticText(value)
    if (text === undefined) {
      close()
      steps.push(new RenderedField(name, value))
    } else if (text !== '') known.push(name, text)
  }
  close()
  return steps
}

/** A field with values of the request in it. */
class RenderedField {
  readonly #name: string
  readonly #id: FieldId
  readonly #render: (source: VariableSource) => string
  #source = ''
  #text = ''

  constructor(name: string, value: Template) {
    this.#name = name
    this.#id = fieldId(name.toLowerCase())
    this.#render = linkTemplate(value)
  }

  /** Reads the value. True: it is the one before. */
  render(source: VariableSource): boolean {
    const value = this.#render(source)
    if (value === this.#source) return true
    this.#source = value
    this.#text = fieldText(value)
    return false
  }

  /** The field, if it has a value. */
  get pair(): readonly string[] {
    return this.#text === '' ? [] : [this.#name, this.#text]
  }

  append(fields: Fields): void {
    if (this.#text !== '') fields.appendKnown(this.#id, this.#name, this.#text)
  }
}

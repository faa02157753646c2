import { fieldLine } from '#src/exchange/field-block.ts'
import type { RepeatedField } from '#src/exchange/field-block.ts'
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
  const steps = linkSteps(list)
  const rendered = steps.map((step) => (step instanceof RenderedField ? step : undefined))
  return (fields, source) => {
    for (const step of rendered) step?.render(source)
    fields.removePrepared(removed)
    for (const step of steps) {
      if (step instanceof RenderedField) step.append(fields)
      else fields.appendPrepared(step)
    }
  }
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

/** A field with values of the request in it. Its line is kept: it may be that of the next request, too. */
class RenderedField {
  readonly #name: string
  readonly #id: FieldId
  readonly #render: (source: VariableSource) => string
  #source = ''
  #text = ''
  #line: RepeatedField = { line: '' }

  constructor(name: string, value: Template) {
    this.#name = name
    this.#id = fieldId(name.toLowerCase())
    this.#render = linkTemplate(value)
  }

  /** Reads the value, for `append`. */
  render(source: VariableSource): void {
    const value = this.#render(source)
    if (value === this.#source) return
    this.#source = value
    this.#text = fieldText(value)
    this.#line = { line: fieldLine(this.#name, this.#text) }
  }

  append(fields: Fields): void {
    if (this.#text !== '') fields.appendRepeated(this.#id, this.#name, this.#text, this.#line)
  }
}

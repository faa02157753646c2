import { fieldText } from '#src/exchange/field-text.ts'
import type { Fields } from '#src/exchange/fields.ts'
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

/** What sets these fields, in their order; a value that comes to nothing takes its field away. */
export function linkFieldEdits(list: readonly FieldTemplate[]): readonly FieldEdit[] {
  const edits: FieldEdit[] = []
  let known: string[] = []
  const close = (): void => {
    if (known.length === 0) return
    const prepared = new PreparedFields(known)
    known = []
    edits.push((fields) => fields.setPrepared(prepared))
  }
  for (const { name, value } of list) {
    const text = staticText(value)
    if (text !== undefined && text !== '') known.push(name, text)
    else {
      close()
      edits.push(text === '' ? removal(name) : setting(name, value))
    }
  }
  close()
  return edits
}

function removal(name: string): FieldEdit {
  const names = preparedNames([name])
  return (fields) => fields.removePrepared(names)
}

function setting(name: string, value: Template): FieldEdit {
  const names = preparedNames([name])
  const id = names.ids[0] as number
  const render = linkTemplate(value)
  return (fields, source) => {
    const text = render(source)
    fields.removePrepared(names)
    if (text !== '') fields.appendKnown(id, name, fieldText(text))
  }
}

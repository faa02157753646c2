import type { RepeatedField } from '#src/exchange/field-block.ts'
import type { Fields } from '#src/exchange/fields.ts'
import type { FieldName } from '../hpack/field-name.ts'

/** Adds a field that the decoder told; `entry` is that of its table, undefined for a literal. */
export function appendField(
  fields: Fields,
  { id, name }: FieldName,
  value: string,
  entry: RepeatedField | undefined,
): void {
  if (entry === undefined) fields.appendKnown(id, name, value)
  else fields.appendRepeated(id, name, value, entry)
}

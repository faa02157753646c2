import { fieldLine } from '#src/exchange/field-block.ts'
import type { RepeatedField } from '#src/exchange/field-block.ts'
import { entryOverhead } from './dynamic-table.ts'
import type { TableEntry } from './dynamic-table.ts'
import { ownCopy } from './field-name.ts'
import type { FieldName } from './field-name.ts'

/** An entry of a decoder's table: a field that its sender means to send again. */
export class ReceivedEntry implements TableEntry, RepeatedField {
  readonly name: FieldName
  readonly value: string
  readonly size: number
  readonly valid: boolean
  #line: string | undefined

  constructor(name: FieldName, value: string, valid: boolean) {
    this.name = name
    this.value = value
    this.size = name.name.length + value.length + entryOverhead
    this.valid = valid
  }

  /** In one piece of memory, which copies faster than what it was put together of. */
  get line(): string {
    this.#line ??= ownCopy(fieldLine(this.name.name, this.value))
    return this.#line
  }
}

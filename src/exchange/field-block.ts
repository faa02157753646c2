import { preparedNames } from './prepared-fields.ts'
import type { PreparedFields } from './prepared-fields.ts'

/** Fields known in advance: built once, then added to many messages at the price of one string. */
export class FieldBlock {
  readonly pairs: readonly string[]
  /** The same as HTTP/1.1 lines, each with its CRLF. */
  readonly lines: string
  /** By each lower-case name the block without that field; undefined until somebody asks for it. */
  #shorter: Map<string, FieldBlock | undefined> | undefined
  /** What its names are, once somebody asks. */
  #names: PreparedFields | undefined

  /** `pairs` is flat: name, value, name, value. Values must already be valid field values. */
  constructor(pairs: readonly string[]) {
    this.pairs = pairs
    let lines = ''
    for (let i = 0; i < pairs.length; i += 2) {
      lines += fieldLine(pairs[i] as string, pairs[i + 1] as string)
    }
    this.lines = lines
  }

  /** The block without the fields of these names: itself where it has none. */
  withoutAll(fields: PreparedFields): FieldBlock {
    if (this.#names === undefined)
      this.#names = preparedNames(this.pairs.filter((_, i) => i % 2 === 0))
    if (!this.#names.mayShareNames(fields)) return this
    return fields.lowerNames.reduce<FieldBlock>((block, name) => block.without(name), this)
  }

  /** The block without the field of this lower-case name: itself where it has none. */
  without(lowerName: string): FieldBlock {
    this.#shorter ??= new Map(lowerNames(this.pairs).map((name) => [name, undefined]))
    if (!this.#shorter.has(lowerName)) return this
    let shorter = this.#shorter.get(lowerName)
    if (shorter === undefined) {
      const { pairs } = this
      const names = lowerNames(pairs)
      shorter = new FieldBlock(pairs.filter((_, i) => names[i >> 1] !== lowerName))
      this.#shorter.set(lowerName, shorter)
    }
    return shorter
  }
}

/** A field that comes with message after message, so that its line is put together once. */
export interface RepeatedField {
  /** As `fieldLine` has it. */
  readonly line: string
}

/** A field as a line of HTTP/1.1, with its CRLF. */
export function fieldLine(name: string, value: string): string {
  return name + ': ' + value + '\r\n'
}

function lowerNames(pairs: readonly string[]): string[] {
  return pairs.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
}

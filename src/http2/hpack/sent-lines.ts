import type { FieldBlock } from '#src/exchange/field-block.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { fieldHash, ownCopy, sentFieldName } from './field-name.ts'
import type { FieldName } from './field-name.ts'

/** Lines remembered for a thread: a power of two. */
const slots = 256
/** Longer ones are not: with this and `slots` the memory is bounded. */
const lineBytesMax = 256

/** A field in the form that an encoder wants, in strings of its own. */
export interface SentField {
  readonly name: FieldName
  readonly value: string
  /** `fieldHash` of both. */
  readonly hash: number
}

/** The same in strings of its own, with the line that it was made of, CRLF included. */
interface KnownLine extends SentField {
  readonly line: string
  /** Where the line lies that came behind this one last time. */
  next: number
}

const contentLength = sentFieldName('content-length')
/** A power of two. */
const lengthSlots = 256
const lengths: (SentLength | undefined)[] = Array.from({ length: lengthSlots }, () => undefined)

interface SentLength extends SentField {
  readonly length: number
}

/** Content-Length: an upstream's answers mostly have lengths that came before. */
export function sentLength(length: number): SentField {
  const slot = length & (lengthSlots - 1)
  const known = lengths[slot]
  if (known?.length === length) return known
  const value = ownCopy(String(length))
  const field = { name: contentLength, value, hash: fieldHash(contentLength, value), length }
  lengths[slot] = field
  return field
}

/** The fields of a block, made once for all messages that carry it. */
const blocks = new WeakMap<FieldBlock, readonly SentField[]>()

export function sentBlock(block: FieldBlock): readonly SentField[] {
  const known = blocks.get(block)
  if (known !== undefined) return known
  const fields: SentField[] = []
  for (let i = 0; i < block.pairs.length; i += 2) {
    const name = sentFieldName(block.pairs[i] as string)
    const value = ownCopy(block.pairs[i + 1] as string)
    fields.push({ name, value, hash: fieldHash(name, value) })
  }
  blocks.set(block, fields)
  return fields
}

/**
 * What field lines of HTTP/1.1 are in HTTP/2. Most lines of most responses are those of others before them
 * (`Content-Type`, `Cache-Control`, `Server`, `Vary`), and a line found here costs one comparison: no slice for its
 * name, none for its value, no search for the name. A line is taken in when it is met for the second
 * time, so that those which come once (`ETag`, lengths, ids) push out none. Credentials never are.
 *
 * Lines mostly come in the order of the head before, so the one that followed last time is tried first.
 */
export class SentLines {
  readonly #met = new Int32Array(slots)
  readonly #fields: (KnownLine | undefined)[] = Array.from({ length: slots }, () => undefined)
  /** The line found last. */
  #last: KnownLine | undefined

  /** What entry `i` of `fields` is; undefined: it is no received line, or none that is known. */
  find(fields: Fields, i: number): SentField | undefined {
    const start = fields.lineStartAt(i)
    if (start < 0) return undefined
    const { text } = fields
    const end = fields.lineEndAt(i)
    const last = this.#last
    const next = last === undefined ? undefined : this.#fields[last.next]
    if (next !== undefined && isAt(next, text, start, end)) {
      this.#last = next
      return next
    }
    return this.#search(fields, i, last)
  }

  #search(fields: Fields, i: number, last: KnownLine | undefined): SentField | undefined {
    const { text } = fields
    const start = fields.lineStartAt(i)
    const end = fields.lineEndAt(i)
    const hash = lineHash(text, start, end)
    const slot = hash & (slots - 1)
    let field = this.#fields[slot]
    if (field === undefined || !isAt(field, text, start, end)) {
      field = this.#met[slot] === hash ? this.#learn(fields, i, slot) : undefined
      this.#met[slot] = hash
    }
    if (last !== undefined && field !== undefined) last.next = slot
    this.#last = field
    return field
  }

  #learn(fields: Fields, i: number, slot: number): KnownLine | undefined {
    const line = fields.text.slice(fields.lineStartAt(i), fields.lineEndAt(i))
    const name = sentFieldName(fields.nameAt(i))
    if (name.secret || line.length > lineBytesMax) return undefined
    const value = ownCopy(fields.valueAt(i))
    const field = { name, value, hash: fieldHash(name, value), line: ownCopy(line), next: slot }
    this.#fields[slot] = field
    return field
  }
}

function isAt({ line }: KnownLine, text: string, start: number, end: number): boolean {
  return line.length === end - start && text.startsWith(line, start)
}

/** Of the length, the end, where dates and numbers differ, and some characters before. */
function lineHash(text: string, start: number, end: number): number {
  const length = end - start
  let hash = length
  for (let at = Math.max(start, end - 10); at < end - 2; at++) {
    hash = Math.imul(hash, 31) + text.charCodeAt(at)
  }
  const step = (length >> 2) | 1
  for (let at = start; at < end; at += step) hash = Math.imul(hash, 31) + text.charCodeAt(at)
  return hash ^ (hash >>> 11)
}

import { hashText } from '#algorithms/hash.ts'

/** As many parts as make a copy of one cheap at 100,000 entries. */
const partCount = 256

type Parts<Value> = readonly (ReadonlyMap<string, Value> | undefined)[]

/** What a {@link SharedMap} held at one moment. Never changes. */
export interface SharedView<Value> {
  readonly size: number
  get(key: string): Value | undefined
  values(): Iterable<Value>
  /** Keys that have another value than in `before`, or are in one of both; of the same map, it costs what changed. */
  changedSince(before: SharedView<Value>): Iterable<string>
}

class View<Value> implements SharedView<Value> {
  readonly size: number
  readonly #parts: Parts<Value>

  constructor(size: number, parts: Parts<Value>) {
    this.size = size
    this.#parts = parts
  }

  get(key: string): Value | undefined {
    return this.#parts[partOf(key)]?.get(key)
  }

  values(): Iterable<Value> {
    return valuesOf(this.#parts)
  }

  *changedSince(before: View<Value>): Generator<string, void> {
    for (const [number, part = noPart] of this.#parts.entries()) {
      const old = before.#parts[number] ?? noPart
      if (part === old) continue
      for (const key of old.keys()) if (!part.has(key)) yield key
      for (const [key, value] of part) if (old.get(key) !== value) yield key
    }
  }
}

const noPart = new Map<string, never>()

/**
 * A map whose contents can be given out as of now at no cost: it lies in parts by hash of the key,
 * views share the parts, and the first change of a part after that copies this part alone.
 */
export class SharedMap<Value> {
  #parts: (Map<string, Value> | undefined)[] = Array.from({ length: partCount }, () => undefined)
  /** 1: no view shares the part. */
  readonly #own = new Uint8Array(partCount)
  #view: SharedView<Value> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): Value | undefined {
    return this.#parts[partOf(key)]?.get(key)
  }

  values(): Iterable<Value> {
    return valuesOf(this.#parts)
  }

  set(key: string, value: Value): void {
    const part = this.#change(partOf(key))
    const before = part.size
    part.set(key, value)
    this.#size += part.size - before
  }

  delete(key: string): boolean {
    const number = partOf(key)
    if (this.#parts[number]?.has(key) !== true) return false
    this.#change(number).delete(key)
    this.#size--
    return true
  }

  /** The contents as of now; the same object until something changes. */
  view(): SharedView<Value> {
    if (this.#view === undefined) {
      this.#own.fill(0)
      this.#view = new View(this.#size, this.#parts)
    }
    return this.#view
  }

  /** The part, for a change. */
  #change(number: number): Map<string, Value> {
    if (this.#view !== undefined) {
      this.#view = undefined
      this.#parts = [...this.#parts]
    }
    let part = this.#parts[number]
    if (part === undefined || this.#own[number] === 0) {
      part = new Map(part)
      this.#parts[number] = part
      this.#own[number] = 1
    }
    return part
  }
}

function partOf(key: string): number {
  return hashText(key, 0) % partCount
}

function* valuesOf<Value>(parts: Parts<Value>): Generator<Value> {
  for (const part of parts) if (part !== undefined) yield* part.values()
}

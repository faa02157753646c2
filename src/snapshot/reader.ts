/** One thing that is wrong with a raw object. */
export interface Fault {
  /** Path in the object, e.g. `spec.rules[0].host`; for annotations and ConfigMap data the key. */
  readonly field: string
  readonly message: string
  /** `object`: it cannot be used. `field`: the field is passed over, the rest holds. */
  readonly harms: 'object' | 'field'
  /** For an unknown field: the names that are known in its place. */
  readonly known: readonly string[]
}

/** Faults of one object that are listed; the rest is counted. */
const faultsMax = 20
const shownLengthMax = 80

/** Faults of one object, in order, bounded. */
export class Faults {
  readonly list: Fault[] = []
  /** The object cannot be used. */
  grave = false
  #more = 0

  add(fault: Fault): void {
    if (fault.harms === 'object') this.grave = true
    if (this.list.length < faultsMax) this.list.push(fault)
    else this.#more++
  }

  /** The faults, with a word on those that were left out. */
  all(): readonly Fault[] {
    if (this.#more === 0) return this.list
    const message = `and ${this.#more} faults more`
    return [...this.list, { field: '', message, harms: this.grave ? 'object' : 'field', known: [] }]
  }
}

/**
 * Reads values out of parsed YAML or JSON, whatever it holds: a value of the wrong type is a fault
 * with its path, and reading goes on with a harmless value. Null is as good as absent, as for the API
 * server. Members are own members only, so that no prototype answers.
 */
export class Reader {
  readonly faults: Faults
  readonly path: string
  readonly #value: unknown
  /** Values are secret: faults do not show them. */
  readonly #hidden: boolean

  // oxlint-disable-next-line max-params -- the last three are for members only
  constructor(value: unknown, path = '', faults = new Faults(), hidden = false) {
    this.#value = value
    this.path = path
    this.faults = faults
    this.#hidden = hidden
  }

  /** The same, with values that faults do not show. */
  hide(): Reader {
    return new Reader(this.#value, this.path, this.faults, true)
  }

  /** Neither absent nor null. */
  get present(): boolean {
    return this.#value !== undefined && this.#value !== null
  }

  get isObject(): boolean {
    return typeof this.#value === 'object' && this.#value !== null && !Array.isArray(this.#value)
  }

  /** The object cannot be used. `expected` continues "must be"; the value is added. */
  expected(expected: string): void {
    const shown = this.#hidden ? '' : `, got ${describe(this.#value)}`
    this.fault(`must be ${expected}${shown}`)
  }

  /** The object cannot be used. */
  fault(message: string): void {
    this.faults.add({ field: this.path, message, harms: 'object', known: [] })
  }

  /** A member of an object; absent when this is none. */
  at(name: string): Reader {
    return this.#member(name, this.path === '' ? name : `${this.path}.${name}`)
  }

  /** A member that must be there. */
  required(name: string): Reader {
    const member = this.at(name)
    // Of what is no object at all, that is said already.
    if (!member.present && (this.isObject || !this.present)) member.fault('is required')
    return member
  }

  /** An object, or absent. */
  expectObject(): this {
    if (this.present && !this.isObject) this.expected('an object')
    return this
  }

  /** An object, or absent, with no members but these; others are passed over, with a word. */
  object(...known: readonly string[]): this {
    this.expectObject()
    if (!this.isObject) return this
    for (const name of Object.keys(this.#value as object)) {
      if (known.includes(name)) continue
      const field = this.path === '' ? clip(name) : `${this.path}.${clip(name)}`
      this.faults.add({ field, message: 'is not a known field', harms: 'field', known })
    }
    return this
  }

  /** Names and values of an object. `pathOf` says what the members are called in faults. */
  members(pathOf: (name: string) => string): [name: string, value: Reader][] {
    if (!this.present) return []
    if (!this.isObject) {
      this.expected('an object')
      return []
    }
    return Object.keys(this.#value as object).map((name) => [
      name,
      this.#member(name, pathOf(clip(name))),
    ])
  }

  /** Elements of a list; a missing or null list is empty. */
  items(): Reader[] {
    if (!this.present) return []
    if (!Array.isArray(this.#value)) {
      this.expected('a list')
      return []
    }
    return (this.#value as unknown[]).map(
      (item, i) => new Reader(item, `${this.path}[${i}]`, this.faults, this.#hidden),
    )
  }

  /** The same value with faults of its own: an item of a list is an object by itself. */
  apart(): Reader {
    return new Reader(this.#value)
  }

  text(preset = ''): string {
    if (!this.present) return preset
    if (typeof this.#value === 'string') return this.#value
    this.expected('a string')
    return preset
  }

  /** A text of some shape; `expected` continues "must be". */
  shaped(isValid: (text: string) => boolean, expected: string, preset = ''): string {
    const text = this.text(preset)
    if (typeof this.#value === 'string' && !isValid(text)) this.expected(expected)
    return text
  }

  bool(preset: boolean): boolean {
    if (!this.present) return preset
    if (typeof this.#value === 'boolean') return this.#value
    this.expected('true or false')
    return preset
  }

  integer(preset: number, min: number, max: number): number {
    if (!this.present) return preset
    const value = this.#value
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value
    }
    this.expected(`a whole number from ${min} to ${max}`)
    return preset
  }

  oneOf<const Name extends string>(names: readonly Name[], preset: Name): Name {
    if (!this.present) return preset
    const name = names.find((candidate) => candidate === this.#value)
    if (name !== undefined) return name
    this.expected(`one of ${names.join(', ')}`)
    return preset
  }

  /** A name or a number, as ports are written. */
  textOrInteger(preset: number, min: number, max: number): string | number {
    return typeof this.#value === 'string' ? this.#value : this.integer(preset, min, max)
  }

  texts(): string[] {
    return this.items().map((item) => item.text())
  }

  #member(name: string, path: string): Reader {
    const own = this.isObject && Object.hasOwn(this.#value as object, name)
    const value = own ? (this.#value as Record<string, unknown>)[name] : undefined
    return new Reader(value, path, this.faults, this.#hidden)
  }
}

/** A value in a few words: what is large or deep is not looked into. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(clip(value))
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function clip(text: string): string {
  return text.length <= shownLengthMax ? text : `${text.slice(0, shownLengthMax)}…`
}

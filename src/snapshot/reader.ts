/** A problem found while reading a raw object. */
export interface Fault {
  /** Path in the object, e.g. spec.rules[0].host. */
  readonly field: string
  readonly message: string
}

const absent: unknown = undefined

/**
 * Reads values out of parsed YAML or JSON, whatever it holds: a value of the wrong type is a fault
 * with its path, and reading goes on with a harmless value.
 */
export class Reader {
  readonly faults: Fault[]
  readonly #value: unknown
  readonly #path: string
  /** Values are secret: faults do not show them. */
  readonly #hidden: boolean

  // oxlint-disable-next-line max-params -- the last three are for members only
  constructor(value: unknown, path = '', faults: Fault[] = [], hidden = false) {
    this.#value = value
    this.#path = path
    this.faults = faults
    this.#hidden = hidden
  }

  /** The same, with values that faults do not show. */
  hide(): Reader {
    return new Reader(this.#value, this.#path, this.faults, true)
  }

  /** Neither absent nor null. */
  get present(): boolean {
    return this.#value !== undefined && this.#value !== null
  }

  fault(message: string): void {
    this.faults.push({ field: this.#path, message })
  }

  /** A member of an object; absent when this is none. */
  at(name: string): Reader {
    const path = this.#path === '' ? name : `${this.#path}.${name}`
    const value =
      this.#isObject() && Object.hasOwn(this.#value as object, name)
        ? (this.#value as Record<string, unknown>)[name]
        : absent
    return new Reader(value, path, this.faults, this.#hidden)
  }

  /** Says so when this is present and no object. */
  expectObject(): this {
    if (this.present && !this.#isObject()) this.#expected('an object')
    return this
  }

  /** Names and values of an object. */
  members(): [string, Reader][] {
    if (!this.present) return []
    if (!this.#isObject()) {
      this.#expected('an object')
      return []
    }
    return Object.keys(this.#value as object).map((name) => [name, this.at(name)])
  }

  /** Elements of a list; a missing or null list is empty. */
  items(): Reader[] {
    if (!this.present) return []
    if (!Array.isArray(this.#value)) {
      this.#expected('a list')
      return []
    }
    return (this.#value as unknown[]).map(
      (item, i) => new Reader(item, `${this.#path}[${i}]`, this.faults, this.#hidden),
    )
  }

  /** The same value with faults of its own: an item of a list is an object by itself. */
  apart(): Reader {
    return new Reader(this.#value)
  }

  /** Milliseconds since 1970, NaN when this is no time. */
  time(): number {
    if (this.#value instanceof Date) return this.#value.getTime()
    return typeof this.#value === 'string' ? Date.parse(this.#value) : Number.NaN
  }

  text(preset = ''): string {
    if (!this.present) return preset
    if (typeof this.#value === 'string') return this.#value
    this.#expected('a string')
    return preset
  }

  requiredText(): string {
    if (!this.present || this.#value === '') this.fault('is required')
    return this.text()
  }

  bool(preset: boolean): boolean {
    if (!this.present) return preset
    if (typeof this.#value === 'boolean') return this.#value
    this.#expected('true or false')
    return preset
  }

  integer(preset: number, min: number, max: number): number {
    if (!this.present) return preset
    const value = this.#value
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value
    }
    this.#expected(`a whole number from ${min} to ${max}`)
    return preset
  }

  oneOf<const Name extends string>(names: readonly Name[], preset: Name): Name {
    if (!this.present) return preset
    const name = names.find((candidate) => candidate === this.#value)
    if (name !== undefined) return name
    this.#expected(`one of ${names.join(', ')}`)
    return preset
  }

  /** A name or a number, as ports are written. */
  textOrInteger(preset: string | number, min: number, max: number): string | number {
    return typeof this.#value === 'string' ? this.#value : this.integer(preset as number, min, max)
  }

  texts(): string[] {
    return this.items().map((item) => item.text())
  }

  /** A map of strings, as labels, annotations and data are. */
  textMap(): Record<string, string> {
    const texts: Record<string, string> = Object.create(null) as Record<string, string>
    for (const [name, value] of this.members()) texts[name] = value.text()
    return { ...texts }
  }

  #isObject(): boolean {
    return typeof this.#value === 'object' && this.#value !== null && !Array.isArray(this.#value)
  }

  #expected(what: string): void {
    if (this.#hidden) {
      this.fault(`must be ${what}`)
      return
    }
    const shown = JSON.stringify(this.#value) as string | undefined
    const text = shown === undefined ? typeof this.#value : shown.slice(0, 80)
    this.fault(`must be ${what}, got ${text}`)
  }
}

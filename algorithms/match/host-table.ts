/**
 * Values by host pattern: exact names, wildcards of one label (`*.example` covers `a.example`, not
 * `a.b.example` nor `example`), and '' for every other host. The most specific pattern answers, and
 * only it: a request never falls through from an exact host to a wildcard.
 *
 * A lookup costs at most two hash look-ups and one slice, however many hosts there are.
 */
export class HostTable<Value> {
  readonly #exact = new Map<string, Value>()
  /** By what follows the `*`, the dot included. */
  readonly #wildcard = new Map<string, Value>()
  #any: Value | undefined

  /** Sets the value of a pattern in lower case. */
  set(pattern: string, value: Value): void {
    if (pattern === '') this.#any = value
    else if (pattern.startsWith('*.')) this.#wildcard.set(pattern.slice(1), value)
    else this.#exact.set(pattern, value)
  }

  delete(pattern: string): void {
    if (pattern === '') this.#any = undefined
    else if (pattern.startsWith('*.')) this.#wildcard.delete(pattern.slice(1))
    else this.#exact.delete(pattern)
  }

  /** The value for a host in lower case without port, or undefined. See {@link hostOf}. */
  find(host: string): Value | undefined {
    const exact = this.#exact.get(host)
    if (exact !== undefined) return exact
    if (this.#wildcard.size > 0) {
      const dot = host.indexOf('.')
      // An empty label is none.
      if (dot > 0) {
        const wildcard = this.#wildcard.get(host.slice(dot))
        if (wildcard !== undefined) return wildcard
      }
    }
    return this.#any
  }

  get size(): number {
    return this.#exact.size + this.#wildcard.size + (this.#any === undefined ? 0 : 1)
  }
}

const colon = 0x3a
const bracket = 0x5b

/**
 * The host of an authority, as tables hold it: lower case, without port, without the dot of a fully
 * qualified name. Makes a new string only where something has to go.
 */
export function hostOf(authority: string): string {
  let end = authority.length
  let upper = false
  if (authority.charCodeAt(0) === bracket) {
    const close = authority.indexOf(']')
    return authority.slice(0, close < 0 ? end : close + 1).toLowerCase()
  }
  for (let at = 0; at < end; at++) {
    const unit = authority.charCodeAt(at)
    if (unit === colon) end = at
    else if (unit >= 0x41 && unit <= 0x5a) upper = true
  }
  if (end > 1 && authority.charCodeAt(end - 1) === 0x2e) end--
  const host = end === authority.length ? authority : authority.slice(0, end)
  return upper ? host.toLowerCase() : host
}

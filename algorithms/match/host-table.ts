/**
 * Values by host pattern: exact hosts, `*.suffix` for exactly one more label, and '' for every other
 * host. The most specific pattern wins. Looking up takes the same time for ten patterns as for ten
 * thousand, and allocates nothing but the suffix of a host that no exact pattern names (a table that
 * hashes the suffix in place was measured, and is slower); patterns come and go one by one.
 *
 * Source: the rules for hosts of networking.k8s.io/v1 Ingress.
 */
export class HostTable<Value> {
  readonly #exact = new Map<string, Value>()
  /** By suffix, with its leading dot. */
  readonly #wildcards = new Map<string, Value>()
  #other: Value | undefined

  get size(): number {
    return this.#exact.size + this.#wildcards.size + (this.#other === undefined ? 0 : 1)
  }

  /** The value for a host as {@link hostOf} gives it; undefined: no pattern matches. */
  match(host: string): Value | undefined {
    const exact = this.#exact.get(host)
    if (exact !== undefined) return exact
    if (this.#wildcards.size > 0) {
      const point = host.indexOf('.')
      // An empty label is none.
      const wildcard = point > 0 ? this.#wildcards.get(host.slice(point)) : undefined
      if (wildcard !== undefined) return wildcard
    }
    return this.#other
  }

  /** The value set for exactly this pattern. */
  get(pattern: string): Value | undefined {
    const key = pattern.toLowerCase()
    if (key === '') return this.#other
    return isWildcard(key) ? this.#wildcards.get(key.slice(1)) : this.#exact.get(key)
  }

  /** Sets or replaces the value of a pattern. Patterns are compared without regard to case. */
  set(pattern: string, value: Value): void {
    const key = pattern.toLowerCase()
    if (key === '') this.#other = value
    else if (isWildcard(key)) this.#wildcards.set(key.slice(1), value)
    else this.#exact.set(key, value)
  }

  /** False: there was no such pattern. */
  delete(pattern: string): boolean {
    const key = pattern.toLowerCase()
    if (key !== '') {
      return isWildcard(key) ? this.#wildcards.delete(key.slice(1)) : this.#exact.delete(key)
    }
    const found = this.#other !== undefined
    this.#other = undefined
    return found
  }
}

function isWildcard(pattern: string): boolean {
  return pattern.startsWith('*.')
}

/**
 * The host of a valid authority (RFC 9110 7.2) in the form that is matched: lower case, without port
 * and without one trailing dot. IPv6 literals keep their brackets. Allocates only where the
 * authority is not in this form already.
 */
export function hostOf(authority: string): string {
  const { length } = authority
  let end = length
  let upper = false
  // A literal holds colons of its own.
  let at = authority.charCodeAt(0) === 0x5b ? Math.max(authority.indexOf(']'), 0) : 0
  if (at > 0) upper = /[A-F]/.test(authority)
  for (; at < length; at++) {
    const unit = authority.charCodeAt(at)
    if (unit === 0x3a) {
      end = at
      break
    }
    if (unit >= 0x41 && unit <= 0x5a) upper = true
  }
  if (end > 0 && authority.charCodeAt(end - 1) === 0x2e) end--
  const host = end === length ? authority : authority.slice(0, end)
  return upper ? host.toLowerCase() : host
}

import { hashTail } from './text-hash.ts'

/**
 * Values by host pattern: exact hosts, `*.suffix` for exactly one more label, and '' for every other
 * host. The most specific pattern wins. Looking up does not allocate, and takes the same time for
 * ten patterns as for ten thousand; patterns come and go one by one.
 *
 * Source: the rules for hosts of networking.k8s.io/v1 Ingress.
 */
export class HostTable<Value> {
  readonly #exact = new Map<string, Value>()
  /** By hash of the suffix with its leading dot. Keyed by number, so that no suffix is cut out. */
  readonly #wildcards = new Map<number, Wildcard<Value>>()
  #wildcardCount = 0
  #other: Value | undefined

  get size(): number {
    return this.#exact.size + this.#wildcardCount + (this.#other === undefined ? 0 : 1)
  }

  /** The value for a host as {@link hostOf} gives it; undefined: no pattern matches. */
  match(host: string): Value | undefined {
    const exact = this.#exact.get(host)
    if (exact !== undefined) return exact
    if (this.#wildcardCount === 0) return this.#other
    return this.#matchWildcard(host) ?? this.#other
  }

  /** The value set for exactly this pattern. */
  get(pattern: string): Value | undefined {
    const key = pattern.toLowerCase()
    if (key === '') return this.#other
    if (!key.startsWith('*.')) return this.#exact.get(key)
    const suffix = key.slice(1)
    return findWildcard(this.#wildcards.get(hashTail(suffix, 0)), suffix)?.value
  }

  /** Sets or replaces the value of a pattern. Patterns are compared without regard to case. */
  set(pattern: string, value: Value): void {
    const key = pattern.toLowerCase()
    if (key === '') this.#other = value
    else if (key.startsWith('*.')) this.#setWildcard(key.slice(1), value)
    else this.#exact.set(key, value)
  }

  delete(pattern: string): boolean {
    const key = pattern.toLowerCase()
    if (key === '') {
      const found = this.#other !== undefined
      this.#other = undefined
      return found
    }
    return key.startsWith('*.') ? this.#deleteWildcard(key.slice(1)) : this.#exact.delete(key)
  }

  #matchWildcard(host: string): Value | undefined {
    const point = host.indexOf('.')
    if (point <= 0) return undefined
    const length = host.length - point
    let wildcard = this.#wildcards.get(hashTail(host, point))
    while (wildcard !== undefined) {
      const { suffix } = wildcard
      if (suffix.length === length && host.endsWith(suffix)) return wildcard.value
      wildcard = wildcard.next
    }
    return undefined
  }

  #setWildcard(suffix: string, value: Value): void {
    this.#deleteWildcard(suffix)
    const hash = hashTail(suffix, 0)
    this.#wildcards.set(hash, { suffix, value, next: this.#wildcards.get(hash) })
    this.#wildcardCount++
  }

  #deleteWildcard(suffix: string): boolean {
    const hash = hashTail(suffix, 0)
    const first = this.#wildcards.get(hash)
    if (findWildcard(first, suffix) === undefined) return false
    const rest = withoutWildcard(first, suffix)
    if (rest === undefined) this.#wildcards.delete(hash)
    else this.#wildcards.set(hash, rest)
    this.#wildcardCount--
    return true
  }
}

/** A chain of those whose suffixes have one hash: of a single one, nearly always. */
interface Wildcard<Value> {
  /** With its leading dot, lower case. */
  readonly suffix: string
  readonly value: Value
  readonly next: Wildcard<Value> | undefined
}

function findWildcard<Value>(
  first: Wildcard<Value> | undefined,
  suffix: string,
): Wildcard<Value> | undefined {
  let wildcard = first
  while (wildcard !== undefined && wildcard.suffix !== suffix) wildcard = wildcard.next
  return wildcard
}

function withoutWildcard<Value>(
  first: Wildcard<Value> | undefined,
  suffix: string,
): Wildcard<Value> | undefined {
  if (first === undefined || first.suffix === suffix) return first?.next
  return { ...first, next: withoutWildcard(first.next, suffix) }
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

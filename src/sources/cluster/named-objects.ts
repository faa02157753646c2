import type { Kind } from '#src/snapshot/objects.ts'
import { isDnsLabel, isDnsSubdomain } from '#src/snapshot/names.ts'
import { ByteBudget } from './byte-budget.ts'
import { NamedScope } from './named-scope.ts'
import type { NamedScopeOptions } from './named-scope.ts'
import { keyOf } from './raw-object.ts'

interface Name {
  readonly namespace: string
  readonly name: string
}

export interface NamedObjectsOptions extends Omit<
  NamedScopeOptions,
  'namespace' | 'singlesOnly' | 'budget'
> {
  /** Namespaces whose objects may be listed; empty: all. */
  readonly namespaces: readonly string[]
  readonly wantedMax?: number
  readonly bytesMax?: number
}

/** Objects of one kind that may be wanted; users make references at will. */
const wantedMaxPreset = 50_000
/** What they may hold together: 25,000 certificates with their chains. Each thread has a copy of those. */
const bytesMaxPreset = 128 * 1024 * 1024

/** All objects of one kind that are wanted by name, in all namespaces. */
export class NamedObjects {
  readonly kind: Kind
  readonly #options: NamedObjectsOptions
  readonly #wantedMax: number
  readonly #budget: ByteBudget
  readonly #scopes = new Map<string, NamedScope>()
  #wanted: readonly Name[] = []
  #pastBound = 0

  constructor(options: NamedObjectsOptions) {
    this.kind = options.kind
    this.#options = options
    this.#wantedMax = options.wantedMax ?? wantedMaxPreset
    this.#budget = new ByteBudget(options.bytesMax ?? bytesMaxPreset)
  }

  get settled(): boolean {
    return this.scopes.every((scope) => scope.settled)
  }

  get scopes(): readonly NamedScope[] {
    return [...this.#scopes.values()]
  }

  /** How many are wanted, those that are left out not counted. */
  get wanted(): number {
    return this.#wanted.length - this.leftOut
  }

  /** What those that are read hold, in characters. */
  get bytes(): number {
    return this.#budget.bytes
  }

  /** How many are not held because all together would hold too much, and how much that is. */
  get leftOutBySize(): { readonly count: number; readonly bytesMax: number } {
    return { count: this.#budget.leftOut, bytesMax: this.#budget.bytesMax }
  }

  /** How many are not read because of a bound. */
  get leftOut(): number {
    const ofScopes = this.scopes.reduce((sum, { leftOut }) => sum + leftOut.size, 0)
    return this.#pastBound + ofScopes + this.#budget.leftOut
  }

  want(names: readonly Name[]): void {
    if (names === this.#wanted) return
    this.#wanted = names
    this.#pastBound = Math.max(0, names.length - this.#wantedMax)
    const byScope = new Map<string, Set<string>>()
    for (const name of names.slice(0, this.#wantedMax)) {
      // Users write names; what cannot be one does not exist, and is never part of a path.
      if (!isDnsLabel(name.namespace) || !isDnsSubdomain(name.name)) continue
      const scope = this.#scopeOf(name.namespace)
      const keys = byScope.get(scope)
      if (keys === undefined) byScope.set(scope, new Set([keyOf(name)]))
      else keys.add(keyOf(name))
    }
    for (const [namespace, scope] of this.#scopes) {
      if (!byScope.has(namespace)) scope.want(new Set())
    }
    for (const [namespace, keys] of byScope) this.#at(namespace).want(keys)
    this.#useRoom()
  }

  async stop(): Promise<void> {
    await Promise.all(this.scopes.map((scope) => scope.stop()))
  }

  #useRoom(): void {
    for (const key of this.#budget.takeFitting()) {
      this.#scopes.get(this.#scopeOf(key.slice(0, key.indexOf('/'))))?.again(key)
    }
  }

  /** With all namespaces there is one scope; otherwise each has its own, for rights end there. */
  #scopeOf(namespace: string): string {
    return this.#options.namespaces.length === 0 ? '' : namespace
  }

  #at(namespace: string): NamedScope {
    let scope = this.#scopes.get(namespace)
    if (scope === undefined) {
      const { namespaces, onChange } = this.#options
      scope = new NamedScope({
        ...this.#options,
        namespace,
        singlesOnly: namespaces.length > 0 && !namespaces.includes(namespace),
        budget: this.#budget,
        onChange: (put, deleted) => {
          onChange(put, deleted)
          this.#useRoom()
        },
      })
      this.#scopes.set(namespace, scope)
    }
    return scope
  }
}

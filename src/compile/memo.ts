/**
 * Results of pure functions, kept while their inputs stay the same objects.
 *
 * Sound because whatever a function reads is in its inputs or under its key and never changes once
 * made: snapshots keep the identity of what did not change. Bounded: `sweep` drops what the last
 * round did not ask for.
 */
export class Memo<Result> {
  readonly #kept = new Map<unknown, Kept<Result>>()
  #round = 0

  /** The result for `key`, computed anew when an input is another one than last time. */
  get(key: unknown, inputs: readonly unknown[], compute: () => Result): Result {
    const kept = this.#kept.get(key)
    if (kept !== undefined && sameInputs(kept.inputs, inputs)) {
      kept.round = this.#round
      return kept.result
    }
    const result = compute()
    this.#kept.set(key, { inputs, result, round: this.#round })
    return result
  }

  /** Ends a round: results that nobody asked for in it are dropped. */
  sweep(): void {
    for (const [key, { round }] of this.#kept) {
      if (round !== this.#round) this.#kept.delete(key)
    }
    this.#round++
  }
}

interface Kept<Result> {
  readonly inputs: readonly unknown[]
  readonly result: Result
  round: number
}

function sameInputs(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((input, i) => Object.is(input, b[i]))
}

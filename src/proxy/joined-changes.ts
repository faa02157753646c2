import { FieldChange } from '#src/exchange/field-change.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { CONTINUE } from '#src/policies/policy.ts'
import type { ChooseChange, Phases, PolicyExchange, Verdict } from '#src/policies/policy.ts'

/** What was chosen for a request head that others repeat. */
interface KeptChange {
  readonly choose: ChooseChange
  readonly whole: FieldChange
}

/** So many choices are kept joined. */
const keptMax = 32

/**
 * The phases of a rule, in the order in which they see an answer: what those that follow one another
 * change in its fields is one change. The fields are walked once, and what comes is one text.
 */
export function joinChanges(phases: readonly Phases[]): Phases[] {
  const joined: Phases[] = []
  let run = new ChangeRun()
  const close = (): void => {
    if (!run.empty) joined.push(run.phase())
    run = new ChangeRun()
  }
  for (const phase of phases) {
    const { responseChange } = phase
    if (responseChange === undefined) {
      if (phase.responseHead !== undefined) close()
      joined.push(phase)
      continue
    }
    // What is chosen twice would be joined in too many ways.
    if (typeof responseChange === 'function' && run.choose !== undefined) close()
    run.add(responseChange)
  }
  close()
  return joined
}

/** Changes that follow one another, at most one of which is chosen by the request. */
class ChangeRun {
  empty = true
  choose: ChooseChange | undefined
  #before = FieldChange.none
  #after = FieldChange.none

  add(change: FieldChange | ChooseChange): void {
    this.empty = false
    if (typeof change === 'function') this.choose = change
    else if (this.choose === undefined) this.#before = this.#before.followedBy(change)
    else this.#after = this.#after.followedBy(change)
  }

  phase(): Phases {
    const before = this.#before
    const after = this.#after
    const { choose } = this
    if (choose === undefined) return { responseHead: (exchange) => applyTo(exchange, before) }
    const kept = new Map<FieldChange, FieldChange>()
    let chosen: FieldChange | undefined
    let whole = FieldChange.none
    const wholeFor = (request: RequestHead): FieldChange => {
      const change = choose(request)
      if (change === chosen) return whole
      chosen = change
      whole = kept.get(change) ?? before.followedBy(change).followedBy(after)
      if (kept.size >= keptMax) kept.clear()
      kept.set(change, whole)
      return whole
    }
    return {
      responseHead(exchange) {
        const { origin } = exchange.request
        if (origin === undefined) return applyTo(exchange, wholeFor(exchange.request))
        const known = origin.kept.change as KeptChange | undefined
        if (known?.choose === choose) return applyTo(exchange, known.whole)
        const change = wholeFor(exchange.request)
        origin.kept.change = { choose, whole: change } satisfies KeptChange
        return applyTo(exchange, change)
      },
    }
  }
}

function applyTo({ response }: PolicyExchange, change: FieldChange): Verdict {
  if (response !== undefined) change.apply(response.fields)
  return CONTINUE
}

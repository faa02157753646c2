import type { Progress } from '../progress.ts'
import type { Controller } from './ask.ts'
import { differencesOf } from './difference.ts'
import type { Difference, Yardstick } from './difference.ts'
import type { PlannedRequest } from './planned-request.ts'

/** A request that was answered differently. */
export interface Differing {
  readonly request: PlannedRequest
  readonly differences: readonly Difference[]
}

export interface Comparison {
  /** Requests that both were asked. */
  readonly compared: number
  readonly differing: readonly Differing[]
  /** Requests whose answers differed once, and not when asked again: chance, or a limit. */
  readonly unsteady: readonly Differing[]
}

/** How requests are sent. */
export interface Pace {
  /** Requests at once to each controller. */
  readonly concurrency: number
  readonly progress: Progress
}

/**
 * Asks both controllers each request at the same moment. What differs is asked once more, so that a
 * canary's draw or one lost connection is not taken for a difference. The order of the result is that
 * of the requests.
 */
export async function runComparison(
  controllers: { readonly old: Controller; readonly new: Controller },
  requests: readonly PlannedRequest[],
  yardstick: Yardstick,
  { concurrency, progress }: Pace,
): Promise<Comparison> {
  const found = new Map<number, readonly Difference[]>()
  const passing = new Map<number, readonly Difference[]>()
  const compare = async (request: PlannedRequest): Promise<Difference[]> => {
    const [old, now] = await Promise.all([
      controllers.old.ask(request),
      controllers.new.ask(request),
    ])
    return differencesOf(old, now, yardstick)
  }
  let next = 0
  let done = 0
  const work = async (): Promise<void> => {
    while (next < requests.length) {
      const index = next++
      const request = requests[index] as PlannedRequest
      const first = await compare(request)
      const again = first.length === 0 ? first : await compare(request)
      if (again.length > 0) found.set(index, again)
      else if (first.length > 0) passing.set(index, first)
      done++
      await progress.report(
        () => `compared ${done} of ${requests.length} requests, ${found.size} differ`,
      )
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, requests.length) }, work))
  return {
    compared: done,
    differing: inOrder(requests, found),
    unsteady: inOrder(requests, passing),
  }
}

function inOrder(
  requests: readonly PlannedRequest[],
  found: ReadonlyMap<number, readonly Difference[]>,
): Differing[] {
  return [...found]
    .toSorted(([a], [b]) => a - b)
    .map(([index, differences]) => ({ request: requests[index] as PlannedRequest, differences }))
}

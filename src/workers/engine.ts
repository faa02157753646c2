import { setFlagsFromString } from 'node:v8'

/** MiB; the engine's own limit. */
const semiSpaceMb = 16

/**
 * Sets the engine up for threads that are started from now on: it reads this when it makes a thread's heap.
 *
 * Of what a request makes nothing is left when it has ended. The room for new objects grows only with what
 * is left, so that it would stay at a size which is full after a few hundred requests, each time with
 * all that are under way to be copied; and there is never enough to copy for several threads.
 */
export function tuneEngine(): void {
  setFlagsFromString(`--min-semi-space-size=${semiSpaceMb}`)
  setFlagsFromString('--no-parallel-scavenge')
}

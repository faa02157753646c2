/** Turns of this thread's event loop that have ended, of those in which anything here was called. */
let ended = 0
/** The end of this turn is going to be heard of. */
let awaited = false
/** No array that is emptied: it would take new memory in each turn. */
const works: ((() => void) | undefined)[] = []
let count = 0
let next = 0

/** Calls `work` behind the events now at hand. */
export function atEndOfTurn(work: () => void): void {
  works[count++] = work
  awaitEnd()
}

/**
 * A clock that is looked at once for all events at hand: they were there before the first of them was
 * dealt with, and a look costs as much as a log line's variables. What it tells is as old as this turn of the
 * event loop at most.
 */
export function turnClock(now: () => number): () => number {
  let turn = -1
  let time = 0
  return () => {
    awaitEnd()
    if (turn !== ended) {
      turn = ended
      time = now()
    }
    return time
  }
}

function awaitEnd(): void {
  if (awaited) return
  awaited = true
  setImmediate(end)
}

function end(): void {
  try {
    // What is added meanwhile belongs to this turn.
    while (next < count) {
      const work = works[next] as () => void
      works[next++] = undefined
      work()
    }
  } finally {
    if (next < count) setImmediate(end)
    else {
      next = 0
      count = 0
      ended++
      awaited = false
    }
  }
}

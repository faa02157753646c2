/**
 * Monotonic milliseconds that mean the same in every thread of the process. `performance.now` is
 * cheap but counts from the start of its own thread; the two clocks tick alike.
 */
export function processClock(): () => number {
  const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now()
  return () => performance.now() + offset
}

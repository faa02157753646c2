import type { Services } from './services.ts'

type Clocks = Pick<Services, 'now' | 'wallClock'>

/** So long the difference of the two clocks is taken for what it was. */
const heldMs = 1000

let clocks: Clocks | undefined
let readAt = 0
let wallMs = 0

/**
 * Milliseconds since 1970 at a moment of the monotonic clock: a line of the log has read that already, and
 * another reading costs as much as a tenth of the line. A wall clock that is set counts within a second.
 */
export function lineTime(services: Clocks, now: number): number {
  const sinceMs = now - readAt
  if (services === clocks && sinceMs >= 0 && sinceMs < heldMs) return Math.floor(wallMs + sinceMs)
  clocks = services
  readAt = now
  wallMs = services.wallClock()
  return wallMs
}

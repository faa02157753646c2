import { readFileSync } from 'node:fs'

/** Kept for upstreams, logs and the control plane: an eighth, at most this many. */
const reserveMax = 256

/**
 * File descriptors from this number on are for what the process must still be able to do when too
 * many clients come: descriptors are given out from the lowest free one, so one that is higher says that
 * nearly all are in use. Without this, libuv accepts such clients and closes them without a word.
 */
export function clientDescriptorsMax(): number {
  return withoutReserve(softLimit())
}

export function withoutReserve(limit: number): number {
  return limit - Math.min(reserveMax, Math.floor(limit / 8))
}

/** Soft limit of open files; Node raises it to the hard one when it starts. */
function softLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}

/** Calls back once after `delayMs`; the result takes the call back. */
export type Schedule = (callback: () => void, delayMs: number) => () => void

export const systemSchedule: Schedule = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs)
  return () => {
    clearTimeout(timer)
  }
}

/** Tells on standard error how long work gets on. */
export interface Progress {
  /** At most one line a second, and none in the first: short work is done in silence. */
  report(line: () => string): Promise<void>
}

const everyMs = 1000

/** `now` in milliseconds. */
export function createProgress(
  writeError: (line: string) => Promise<void>,
  now: () => number = Date.now,
): Progress {
  let last = now()
  return {
    async report(line) {
      const time = now()
      if (time - last < everyMs) return
      last = time
      await writeError(line())
    },
  }
}

/** For work that nobody watches. */
export const silent: Progress = { report: async () => {} }

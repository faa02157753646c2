/** Something that a test waits for, without looking all the time. */
export class Happenings {
  readonly #waiting = new Set<() => void>()

  /** Something happened: whoever waits looks again. */
  note(): void {
    for (const look of this.#waiting) look()
  }

  /** Resolves once `condition` holds at a moment when something has just happened, or now. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!condition()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
    })
  }
}

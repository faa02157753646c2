import { flatText } from '#src/exchange/gathered-text.ts'
import type { ReadLog } from './log-format.ts'

/** A variable in a log line. */
export interface LogVariableUse<Source> {
  readonly read: ReadLog<Source>
  /** There is nothing in its values to escape. */
  readonly plain: boolean
}

/** What stands in a line for a value. */
export type ShowValue = (value: string, plain: boolean) => string

/**
 * A text in a log line whose values mostly are those of the line before, as the client's address
 * and the host are: its text is put together again only when one of them is another.
 */
export class SteadyText<Source> {
  readonly #reads: readonly ReadLog<Source>[]
  readonly #plain: readonly boolean[]
  /** Before, between and behind the variables. */
  readonly #texts: readonly string[]
  /** By variable the last value, and what stands for it. */
  readonly #values: (string | undefined)[]
  readonly #shown: string[]
  readonly #show: ShowValue
  #text: string
  /** The text is in one piece of memory. */
  #flat = true

  constructor(uses: readonly LogVariableUse<Source>[], texts: readonly string[], show: ShowValue) {
    this.#show = show
    this.#reads = uses.map(({ read }) => read)
    this.#plain = uses.map(({ plain }) => plain)
    this.#texts = texts
    this.#values = uses.map(() => undefined)
    this.#shown = uses.map(() => '')
    this.#text = texts.join('')
  }

  textOf(source: Source, durationMs: number): string {
    const reads = this.#reads
    const values = this.#values
    let same = true
    for (let i = 0; i < reads.length; i++) {
      const value = (reads[i] as ReadLog<Source>)(source, durationMs)
      if (value === values[i]) continue
      same = false
      values[i] = value
      this.#shown[i] = this.#show(value, this.#plain[i] === true)
    }
    if (!same) this.#join()
    else if (!this.#flat) this.#flatten()
    return this.#text
  }

  #join(): void {
    const texts = this.#texts
    const shown = this.#shown
    let text = texts[0] as string
    for (let i = 0; i < shown.length; i++) text += (shown[i] as string) + (texts[i + 1] as string)
    this.#text = text
    this.#flat = false
  }

  /** Once it has come twice it is likely to come again. */
  #flatten(): void {
    this.#text = flatText(this.#text)
    this.#flat = true
  }
}

import { flatText } from '#src/exchange/gathered-text.ts'
import { SteadyText } from './steady-text.ts'
import type { LogVariableUse, ShowValue } from './steady-text.ts'
import type { ReadLog } from './log-format.ts'

/**
 * What of a log line lies between two values that are others each time: steady texts with values
 * between them that may vary. Where clients ask for the same thing again and again it is one text.
 */
export class LogStretch<Source> {
  readonly #steady: readonly SteadyText<Source>[]
  readonly #reads: readonly ReadLog<Source>[]
  readonly #plain: readonly boolean[]
  readonly #show: ShowValue
  /** The last ones, and what stands for the values. */
  readonly #texts: string[]
  readonly #values: (string | undefined)[]
  readonly #shown: string[]
  /** All of it as it was last, once it has come twice; '' until then. */
  #whole = ''

  constructor(
    steady: readonly SteadyText<Source>[],
    varied: readonly LogVariableUse<Source>[],
    show: ShowValue,
  ) {
    this.#steady = steady
    this.#reads = varied.map(({ read }) => read)
    this.#plain = varied.map(({ plain }) => plain)
    this.#show = show
    this.#texts = steady.map(() => '')
    this.#values = varied.map(() => undefined)
    this.#shown = varied.map(() => '')
  }

  textOf(source: Source, durationMs: number): string {
    const steady = this.#steady
    const reads = this.#reads
    const texts = this.#texts
    const first = (steady[0] as SteadyText<Source>).textOf(source, durationMs)
    if (reads.length === 0) return first
    let same = first === texts[0]
    texts[0] = first
    for (let i = 0; i < reads.length; i++) {
      const value = (reads[i] as ReadLog<Source>)(source, durationMs)
      if (value !== this.#values[i]) {
        same = false
        this.#values[i] = value
        this.#shown[i] = this.#show(value, this.#plain[i] === true)
      }
      const text = (steady[i + 1] as SteadyText<Source>).textOf(source, durationMs)
      same = same && text === texts[i + 1]
      texts[i + 1] = text
    }
    return same ? this.#again() : this.#joined()
  }

  #again(): string {
    if (this.#whole === '') this.#whole = flatText(this.#joined())
    return this.#whole
  }

  #joined(): string {
    this.#whole = ''
    const texts = this.#texts
    const shown = this.#shown
    let text = texts[0] as string
    for (let i = 0; i < shown.length; i++) text += (shown[i] as string) + (texts[i + 1] as string)
    return text
  }
}

/** Puts the stretches of a format together, part by part. */
export class Stretches<Source> {
  readonly all: LogStretch<Source>[] = []
  readonly #show: ShowValue
  #steady: SteadyText<Source>[] = []
  #varied: LogVariableUse<Source>[] = []
  #uses: LogVariableUse<Source>[] = []
  #texts = ['']

  constructor(show: ShowValue) {
    this.#show = show
  }

  addText(text: string): void {
    this.#texts[this.#uses.length] += text
  }

  addVariable(use: LogVariableUse<Source>, varied: boolean): void {
    if (varied) {
      this.#endSteady()
      this.#varied.push(use)
      return
    }
    this.#uses.push(use)
    this.#texts.push('')
  }

  /** The next part belongs to another stretch. */
  end(): void {
    this.#endSteady()
    this.all.push(new LogStretch(this.#steady, this.#varied, this.#show))
    this.#steady = []
    this.#varied = []
  }

  #endSteady(): void {
    this.#steady.push(new SteadyText(this.#uses, this.#texts, this.#show))
    this.#uses = []
    this.#texts = ['']
  }
}

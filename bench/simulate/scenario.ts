/** One figure of a scenario, beside what is published for it. */
export interface Row {
  readonly what: string
  readonly measured: number
  /** Digits after the point. */
  readonly digits: number
  /** As text, since some are ranges or come from a formula. */
  readonly published: string
  /** Least and greatest value that passes; absent: shown for comparison only. */
  readonly passes?: readonly [least: number, greatest: number]
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Plot {
  /** File name without ending. */
  readonly file: string
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly logX?: boolean
  readonly logY: boolean
  readonly series: readonly Series[]
}

export interface Result {
  readonly rows: readonly Row[]
  readonly plots: readonly Plot[]
}

export interface Scenario {
  readonly name: string
  readonly title: string
  /** What is simulated and where the published figures come from. */
  readonly about: string
  /**
   * Runs it. `scale` 1 is the size whose results are gated; a fraction is for a quick look.
   * `progress` is told the steps as they begin.
   */
  run(scale: number, progress: (step: string) => void): Result
}

/** Whether a row is within its tolerance. */
export function passes({ measured, passes: range }: Row): boolean {
  return range === undefined || (measured >= range[0] && measured <= range[1])
}

/** The value below which the share `part` of sorted values lies. */
export function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** A tolerance of so many parts around a value. */
export function within(value: number, part: number): [number, number] {
  return [value * (1 - part), value * (1 + part)]
}

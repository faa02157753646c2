import type { Algorithm, Balancer, EndpointColumns } from './balancer.ts'
import type { LoadReport, Outcome, PickInput } from './balancer.ts'

/** No weight starts below this part of itself. */
const factorMin = 0.1
/** Weights follow the ramp in so many steps. */
const steps = 50
const stepMinMs = 50

/** Parameters of the ramp. */
export interface Ramp {
  /** Milliseconds from a tenth to the whole weight. */
  readonly windowMs: number
  /** 1: linear. Above: steep at first. */
  readonly aggression: number
}

/**
 * The part of its weight that an endpoint has after `elapsedMs` in the set: 0.1 to 1.
 *
 * Source: Envoy slow start, max(0.1, (max(t, 1 s) / window)^(1 / aggression)).
 */
export function slowStartFactor(elapsedMs: number, { windowMs, aggression }: Ramp): number {
  if (elapsedMs >= windowMs) return 1
  const part = Math.max(elapsedMs, 1000) / windowMs
  return Math.min(1, Math.max(factorMin, part ** (1 / aggression)))
}

/**
 * Slow start for any algorithm that reads weights and sends no probes: a new endpoint begins with a tenth of its weight
 * and gets it all over `slowStartMs`, so that caches, connections and compilers warm up first.
 *
 * When to use: with runtimes that start cold (JVM, .NET, PHP), whenever pods come and go.
 * Cost: a comparison a pick; while endpoints warm, a rebuild in each of 50 steps. Endpoints present
 * when the process started are not new (`since` 0).
 */
export function withSlowStart(algorithm: Algorithm): Algorithm {
  return ramping(algorithm, { inner: algorithm, even: false })
}

/**
 * Slow start for an algorithm that takes all endpoints for equal: while slow start is on, `weighted`
 * takes its place, with the weight 1 for each endpoint that has a weight.
 */
export function withEvenSlowStart(algorithm: Algorithm, weighted: Algorithm): Algorithm {
  return ramping(algorithm, { inner: weighted, even: true })
}

interface Ramping {
  readonly inner: Algorithm
  /** Weights other than 0 count as 1. */
  readonly even: boolean
}

function ramping(algorithm: Algorithm, { inner, even }: Ramping): Algorithm {
  return {
    ...algorithm,
    create(columns, random, options) {
      const windowMs = options.slowStartMs ?? 0
      if (windowMs <= 0) return algorithm.create(columns, random, options)
      const ramp = { windowMs, aggression: options.slowStartAggression ?? 1 }
      return new SlowStart(columns, { ramp, even }, (ramped) =>
        inner.create(ramped, random, options),
      )
    },
  }
}

interface SlowStartSettings {
  readonly ramp: Ramp
  readonly even: boolean
}

class SlowStart implements Balancer {
  readonly #columns: EndpointColumns
  /** The same columns with weights of our own, which the inner balancer reads. */
  readonly #ramped: EndpointColumns
  readonly #inner: Balancer
  readonly #ramp: Ramp
  readonly #even: boolean
  readonly #stepMs: number
  #nextStepAt = -Infinity
  /** Absent where the inner one reads no reports: then nobody needs to look for them. */
  report?(index: number, now: number, report: LoadReport): void

  constructor(
    columns: EndpointColumns,
    { ramp, even }: SlowStartSettings,
    create: (ramped: EndpointColumns) => Balancer,
  ) {
    this.#columns = columns
    this.#ramp = ramp
    this.#even = even
    this.#stepMs = Math.max(stepMinMs, ramp.windowMs / steps)
    this.#ramped = { ...columns, weight: this.#fullWeights() }
    const inner = create(this.#ramped)
    this.#inner = inner
    if (inner.report !== undefined) {
      this.report = (index, now, report) => inner.report?.(index, now, report)
    }
  }

  rebuild(): void {
    Object.assign(this.#ramped, this.#columns, { weight: this.#fullWeights() })
    this.#nextStepAt = -Infinity
    this.#inner.rebuild()
  }

  pick(input: PickInput): number {
    if (input.now >= this.#nextStepAt) this.#step(input)
    return this.#inner.pick(input)
  }

  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#inner.observe?.(index, now, latencyMs, outcome)
  }

  #step({ now }: PickInput): void {
    const { count, since } = this.#columns
    let warming = false
    let changed = false
    for (let i = 0; i < count; i++) {
      const elapsedMs = now - (since[i] as number)
      if (elapsedMs < this.#ramp.windowMs) warming = true
      const ramped = this.#fullWeight(i) * slowStartFactor(elapsedMs, this.#ramp)
      if (ramped !== this.#ramped.weight[i]) changed = true
      this.#ramped.weight[i] = ramped
    }
    this.#nextStepAt = warming ? now + this.#stepMs : Infinity
    if (changed) this.#inner.rebuild()
  }

  #fullWeights(): Float64Array {
    return this.#columns.weight.map((_, index) => this.#fullWeight(index))
  }

  #fullWeight(index: number): number {
    const own = this.#columns.weight[index] as number
    return this.#even ? Math.sign(own) : own
  }
}

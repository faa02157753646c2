import type { Balancer, EndpointColumns, PickInput } from '#algorithms/balance/balancer.ts'
import { createPickInput } from '#algorithms/balance/columns.ts'

/** What a pick is to know, beside the defaults of an empty one. */
export type Asked = Partial<Pick<PickInput, 'key' | 'now'>> & { readonly tried?: readonly number[] }

/** A filled input. */
export function inputOf({ key = 0, now = 0, tried = [] }: Asked = {}): PickInput {
  const input = createPickInput(Math.max(16, tried.length))
  input.key = key
  input.now = now
  input.tried.set(tried)
  input.triedCount = tried.length
  return input
}

/** One pick. */
export function pick(balancer: Balancer, asked: Asked = {}): number {
  return balancer.pick(inputOf(asked))
}

/** An array of one value. */
export function fill<Value>(length: number, value: Value): Value[] {
  return Array.from({ length }, () => value)
}

/** Endpoints picked in turn, as letters from a. */
export function sequence(balancer: Balancer, picks: number): string {
  const input = createPickInput()
  return Array.from({ length: picks }, () => letter(balancer.pick(input))).join('')
}

/** Share of the picks that each endpoint gets. `now` stands still unless `stepMs` says otherwise. */
export function shares(
  balancer: Balancer,
  { count }: EndpointColumns,
  picks: number,
  start: Asked & { readonly stepMs?: number } = {},
): number[] {
  const input = inputOf(start)
  const counts = fill(count, 0)
  for (let turn = 0; turn < picks; turn++) {
    const index = balancer.pick(input)
    if (index >= 0) counts[index] = (counts[index] as number) + 1
    input.now += start.stepMs ?? 0
  }
  return counts.map((own) => own / picks)
}

/** Chi-square statistic of counts against expected counts. */
export function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, own, i) => {
    const mean = expected[i] as number
    return sum + (own - mean) ** 2 / mean
  }, 0)
}

function letter(index: number): string {
  return index < 0 ? '-' : String.fromCharCode(97 + index)
}

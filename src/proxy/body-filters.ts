import type { Fields } from '#src/exchange/fields.ts'
import type { BodyFilter, BodySink, PolicyExchange } from '#src/policies/policy.ts'
import type { PolicyChain } from './policy-chain.ts'

/** The receiving end behind the last filter. */
export interface BodyTarget extends BodySink {
  readonly backedUp: boolean
}

/** The filters of one body, one behind the other. */
export class BodyFilters {
  readonly empty: boolean
  readonly #filters: readonly BodyFilter[]
  readonly #links: readonly FilterLink[]
  #target: BodyTarget | undefined

  constructor(filters: readonly BodyFilter[]) {
    this.empty = filters.length === 0
    this.#filters = filters
    this.#links = filters.map((_, i) => new FilterLink(this, i + 1))
  }

  /** Passes a chunk through; false: the target is backed up. */
  push(buffer: Buffer, start: number, end: number, target: BodyTarget): boolean {
    this.#target = target
    this.chunk(0, buffer, start, end)
    return !target.backedUp
  }

  /** Ends the body: every filter in turn lets go of what it holds. */
  end(target: BodyTarget, trailers: Fields | undefined): void {
    this.#target = target
    for (const [i, filter] of this.#filters.entries()) {
      filter.onEnd(this.#links[i] as FilterLink, trailers)
    }
  }

  /** Brings a chunk to filter i, or behind the last one to the target. */
  chunk(i: number, buffer: Buffer, start: number, end: number): boolean {
    const filter = this.#filters[i]
    if (filter === undefined) return (this.#target as BodyTarget).write(buffer, start, end)
    filter.onChunk(buffer, start, end, this.#links[i] as FilterLink)
    return !(this.#target as BodyTarget).backedUp
  }
}

/** What filter i - 1 writes to: filter i. */
class FilterLink implements BodySink {
  readonly #chain: BodyFilters
  readonly #next: number

  constructor(chain: BodyFilters, next: number) {
    this.#chain = chain
    this.#next = next
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    return this.#chain.chunk(this.#next, buffer, start, end)
  }

  writeText(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1')
    return this.#chain.chunk(this.#next, bytes, 0, bytes.length)
  }
}

const noFilters = new BodyFilters([])

/** Filters of the request body, in table order. */
export function requestFilters(
  { requestFilters: phases }: PolicyChain,
  exchange: PolicyExchange,
): BodyFilters {
  if (phases.length === 0) return noFilters
  const filters: BodyFilter[] = []
  for (const phase of phases) {
    const filter = phase.filterRequestBody?.(exchange)
    if (filter !== undefined) filters.push(filter)
  }
  return new BodyFilters(filters)
}

/** Filters of the response body, in reverse order. */
export function responseFilters(
  { responseFilters: phases }: PolicyChain,
  exchange: PolicyExchange,
): BodyFilters {
  if (phases.length === 0) return noFilters
  const filters: BodyFilter[] = []
  for (const phase of phases) {
    const filter = phase.filterResponseBody?.(exchange)
    if (filter !== undefined) filters.push(filter)
  }
  return new BodyFilters(filters)
}

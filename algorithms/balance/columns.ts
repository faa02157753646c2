import type { EndpointColumns, PickInput } from './balancer.ts'

/** Requests in flight at an endpoint, over all writers. */
export function inFlightAt(columns: EndpointColumns, index: number): number {
  const { inFlight, writers } = columns
  const first = columns.cell[index] as number
  let sum = inFlight[first] as number
  for (let writer = 1; writer < writers; writer++) sum += inFlight[first + writer] as number
  // A worker that dies between two writes of a hand-over may leave a sum below zero for a moment.
  return sum > 0 ? sum : 0
}

/** Mean age in whole milliseconds of the requests in flight, 0 when there is none or nobody counts. */
export function ageAt(columns: EndpointColumns, index: number, { now }: PickInput): number {
  const { started, writers } = columns
  const inFlight = inFlightAt(columns, index)
  if (started === undefined || inFlight === 0) return 0
  const first = columns.cell[index] as number
  let sum = 0
  for (let cell = first; cell < first + writers; cell++) sum += started[cell] as number
  return Math.max(0, (now - sum / inFlight) | 0)
}

/** Whether the endpoint may be picked at all. */
export function isEligible(columns: EndpointColumns, index: number): boolean {
  return columns.usable[index] === 1 && (columns.weight[index] as number) > 0
}

/**
 * Whether a request may go to the endpoint that its session is bound to (-1: there is none), which it may
 * while that drains, but not once it has been there.
 */
export function mayKeepSession(columns: EndpointColumns, index: number, input: PickInput): boolean {
  if (index < 0 || wasTried(input, index)) return false
  if (isEligible(columns, index)) return true
  return columns.draining?.[index] === 1 && (columns.weight[index] as number) > 0
}

/** Whether this request has been at the endpoint before. */
export function wasTried(input: PickInput, index: number): boolean {
  const { tried, triedCount } = input
  for (let i = 0; i < triedCount; i++) if (tried[i] === index) return true
  return false
}

/**
 * Whether a pick may take the endpoint. A picker asks with `again` false first, and with true when
 * nothing was found: a retry returns to a tried endpoint only where no other is left.
 */
export function mayPick(
  columns: EndpointColumns,
  index: number,
  input: PickInput,
  again: boolean,
): boolean {
  return isEligible(columns, index) && (again || input.triedCount === 0 || !wasTried(input, index))
}

/** What {@link createColumns} needs to know of an endpoint. */
export interface EndpointInput {
  /** Default 1. */
  readonly weight?: number
  /** Default: a number that differs from endpoint to endpoint. */
  readonly identity?: number
}

/** Columns in memory of their own, for one process that balances alone, and for tests. */
export function createColumns(
  endpoints: readonly EndpointInput[],
  writers = 1,
  writer = 0,
): EndpointColumns {
  const count = endpoints.length
  return {
    count,
    weight: Float64Array.from(endpoints, ({ weight }) => weight ?? 1),
    usable: new Uint8Array(count).fill(1),
    cell: Int32Array.from(endpoints, (_, index) => index * writers),
    identity: Uint32Array.from(endpoints, ({ identity }, index) => identity ?? index + 1),
    since: new Float64Array(count),
    writers,
    writer,
    inFlight: new Int32Array(count * writers),
    latency: new Float64Array(count * writers),
    updated: new Float64Array(count * writers),
    reported: new Float64Array(count * writers),
    reportedAt: new Float64Array(count * writers),
    reportingSince: new Float64Array(count * writers),
  }
}

/** An input to fill anew for every pick, with room for `triedMax` tried endpoints. */
export function createPickInput(triedMax = 16): PickInput {
  return { key: 0, now: 0, tried: new Int32Array(triedMax), triedCount: 0, session: 0 }
}

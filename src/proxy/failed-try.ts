import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'

/** A try that gave the client no answer, as the access log tells it. */
export interface FailedTry {
  /** The endpoint, as address:port. */
  readonly address: string
  /** What the upstream answered, or what a failure of this kind is answered with. */
  readonly status: number
  /** From its start to its failure. */
  readonly ms: number
}

/** Remembers a try for the access log, where that has a format of its own. */
export function noteFailedTry(exchange: Exchange, attempt: Attempt, status: number): void {
  const { services } = exchange
  if (services.table.options.logFormat.length === 0) return
  exchange.failedTries ??= []
  exchange.failedTries.push({
    address: attempt.endpoint.name,
    status,
    ms: services.now() - attempt.startedAt,
  })
}

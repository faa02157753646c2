import type { ClientStream } from '#src/exchange/streams.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { RouteSettings } from '#src/table/table.ts'
import type { Exchange } from './exchange.ts'
import type { FailureCode } from './failures.ts'
import type { LiveRule } from './live-rule.ts'
import { endByDeadline, grpcTimeoutMs } from './grpc-deadline.ts'
import { tryFailed } from './try-failed.ts'

/** What an exchange's one timer is waiting for; '': for the client, whose codec has timers of its own. */
export type Waiting = '' | 'connect' | 'send' | 'response' | 'tunnel' | 'suspended'

const cells = {
  connect: workerCell('timeouts_total:connect'),
  send: workerCell('timeouts_total:send'),
  response: workerCell('timeouts_total:response'),
  tunnel: workerCell('timeouts_total:tunnel-idle'),
  suspended: workerCell('timeouts_total:suspension'),
  call: workerCell('timeouts_total:grpc-deadline'),
} as const

/**
 * Sets the deadline that fits what the exchange is waiting for now. Called after every progress; amid a
 * read of the answer it is left for its end, where mostly nothing is waited for any more.
 */
export function waitForUpstream(exchange: Exchange): void {
  const stream = exchange.attempt?.stream
  if (stream !== undefined && !exchange.finished && exchange.answeredAt === 0) {
    wait(exchange, waitingFor(exchange, stream))
  }
}

function waitingFor(exchange: Exchange, stream: ClientStream): Waiting {
  if (exchange.tunnel) return 'tunnel'
  if (isHeldBack(exchange)) return ''
  if (!stream.connected) return 'connect'
  if (stream.backedUp) return 'send'
  const { attempt, body, request } = exchange
  // A request for an upgrade has no end before the answer to it.
  return body.ended || attempt?.answered === true || request.upgrade !== '' ? 'response' : ''
}

/** The upstream is paused: the client is slow, or is to get its answer slowly. */
function isHeldBack({ stream, policies }: Exchange): boolean {
  return stream.backedUp || policies?.pacer?.holding === true
}

/** Starts the time for `waiting` anew. */
export function wait(exchange: Exchange, waiting: Waiting): void {
  const { wheel } = exchange.services
  // Connecting is bounded in all, not from one event to the next.
  if (waiting === 'connect' && exchange.waiting === 'connect') return
  exchange.waiting = waiting
  const delayMs = timeoutMs((exchange.live as LiveRule).rule.settings, waiting)
  if (exchange.deadline !== undefined) armBefore(exchange, delayMs || Infinity)
  else if (delayMs > 0) wheel.arm(exchange.timer, delayMs)
  else wheel.disarm(exchange.timer)
}

/** A policy stopped the exchange; its deadline takes the timer's place. */
export function waitSuspended(exchange: Exchange, deadlineMs: number): void {
  exchange.waiting = 'suspended'
  exchange.answeredAt = 0
  armBefore(exchange, deadlineMs)
}

/** Ends the exchange when the time that its call leaves has passed, whatever it then waits for. */
export function startDeadline(exchange: Exchange): void {
  const delayMs = grpcTimeoutMs(exchange.request)
  if (delayMs === undefined) return
  exchange.deadline = exchange.services.wheel.now + delayMs
  armBefore(exchange, Infinity)
}

/** Sets the timer for what is waited for, or for the deadline of the call if that comes first. */
function armBefore({ services, timer, deadline = Infinity }: Exchange, delayMs: number): void {
  const leftMs = Math.max(0, deadline - services.wheel.now)
  services.wheel.arm(timer, Math.min(delayMs, leftMs))
}

function timeoutMs(settings: RouteSettings, waiting: Waiting): number {
  if (waiting === 'connect') return settings.connectTimeoutMs
  if (waiting === 'send') return settings.sendTimeoutMs
  return waiting === '' ? 0 : settings.readTimeoutMs
}

/** The deadline has passed. */
export function expire(exchange: Exchange): void {
  const { waiting, attempt, services, deadline } = exchange
  if (deadline !== undefined && deadline <= services.wheel.now) {
    services.worker.add(services.writer, cells.call, 1)
    endByDeadline(exchange)
    return
  }
  if (waiting === '') return
  exchange.waiting = ''
  services.worker.add(services.writer, cells[waiting], 1)
  if (waiting === 'suspended') {
    exchange.fail('suspend-timeout')
  } else if (waiting === 'tunnel') {
    exchange.finish()
  } else if (attempt !== undefined) {
    attempt.abandon()
    tryFailed(exchange, attempt, failureOf(waiting))
  }
}

function failureOf(waiting: 'connect' | 'send' | 'response'): FailureCode {
  if (waiting === 'connect') return 'connect-timeout'
  return waiting === 'send' ? 'send-timeout' : 'response-timeout'
}

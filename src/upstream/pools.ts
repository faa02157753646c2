import type { ClientStream, ClientStreamHandler } from '#src/exchange/streams.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner, TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Http1ClientOptions } from '#src/http1/options.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import type {
  ConnectHandler,
  ConnectTarget,
  Connection,
  Transport,
} from '#src/transport/transport.ts'
import type { Http2Environment } from '#src/http2/environment.ts'
import { clientLimits } from '#src/http2/limits.ts'
import type { Http2Limits } from '#src/http2/limits.ts'
import { AutoPool } from './auto-pool.ts'
import { Http1Pool } from './http1-pool.ts'
import { Http2Pool } from './http2-pool.ts'
import type { IdleSession } from './http2-pool.ts'
import { IdleList } from './idle-list.ts'
import type { LiveEndpoint } from './live-endpoint.ts'
import type { EndpointPool, PoolSettings, UpstreamConnector } from './pool.ts'

/** What pools need from their worker. */
export interface PoolsContext {
  readonly transport: Transport
  readonly wheel: TimerWheel
  readonly now: () => number
  readonly http2Environment: Http2Environment
  /** A connection to an endpoint is being opened. */
  onOpened(): void
  /** A connection to an endpoint could not be made. */
  onProblem(endpoint: LiveEndpoint, problem: string): void
}

/** How often the log hears of one endpoint. */
const reportEveryMs = 10_000

/** How often idle connections are looked at. */
const sweepMs = 1000
/**
 * A connection used within this time is in use: the streams of one HTTP/2 client end together and come again a
 * moment later, and connections closed in between would have to be opened anew each time.
 */
const restMs = 1000

/**
 * All upstream connections of one worker. Idle ones are bounded in number (the longest idle goes
 * first, a second after its last use) and in time; busy ones by the exchanges that use them.
 */
export class UpstreamPools implements UpstreamConnector, TimerOwner {
  readonly idle = new IdleList()
  readonly http2Environment: Http2Environment
  readonly #http2 = new Set<Http2Pool>()
  /** Connections that are open or being opened. */
  connections = 0
  closing = false
  http1Options: Http1ClientOptions
  http2Limits: Http2Limits = clientLimits
  /** For upstreams that are to be spoken to in HTTP/1.0. */
  http10Options: Http1ClientOptions
  /** For connections that carry one exchange. */
  closingOptions: Http1ClientOptions
  /** For connections whose requests say that they are kept. */
  keepingOptions: Http1ClientOptions
  limits: { readonly requestsMax: number; readonly ageMsMax: number }
  #idleSessions = 0
  #idleMax = 0
  #idleMsMax = 0
  readonly #context: PoolsContext
  readonly #sweep = new Timer(this)

  constructor(context: PoolsContext, options: GlobalOptions) {
    this.#context = context
    this.http2Environment = context.http2Environment
    this.http1Options = { responseHeadBytesMax: 0, version: 11, persistent: true }
    this.http10Options = { responseHeadBytesMax: 0, version: 10, persistent: false }
    this.closingOptions = this.http10Options
    this.keepingOptions = this.http1Options
    this.limits = { requestsMax: 0, ageMsMax: 0 }
    this.setOptions(options)
    context.wheel.arm(this.#sweep, sweepMs)
  }

  /** New options count for connections opened, and for exchanges ended, from now on. */
  setOptions(options: GlobalOptions): void {
    this.http2Limits = { ...clientLimits, pingIntervalMs: options.upstreamPingIntervalMs }
    this.#idleMax = options.upstreamKeepAliveConnections
    this.#idleMsMax = options.upstreamKeepAliveTimeoutMs
    this.http1Options = {
      responseHeadBytesMax: options.responseHeadBytesMax,
      version: 11,
      persistent: this.#idleMax > 0,
    }
    this.closingOptions = { ...this.http1Options, persistent: false }
    this.keepingOptions = { ...this.http1Options, saysKeepAlive: true }
    this.http10Options = { ...this.closingOptions, version: 10 }
    this.limits = {
      requestsMax: options.upstreamKeepAliveRequests || Infinity,
      ageMsMax: options.upstreamKeepAliveTimeMs || Infinity,
    }
    this.trim(this.now())
  }

  /** Connections that carry nothing, those of HTTP/2 as of the last look at them. */
  get idleCount(): number {
    return Math.min(this.connections, this.idle.size + this.#idleSessions)
  }

  get activeCount(): number {
    return this.connections - this.idleCount
  }

  now(): number {
    return this.#context.now()
  }

  /** The same clock as of the wheel's last tick: near enough for idle times, at no cost. */
  get tickNow(): number {
    return this.#context.wheel.now
  }

  // oxlint-disable-next-line max-params -- once a try: no object for it
  open(
    endpoint: LiveEndpoint,
    settings: PoolSettings,
    handler: ClientStreamHandler,
    idleMsMax: number,
  ): ClientStream {
    for (const pool of endpoint.pools) {
      if (pool.settings === settings) return pool.open(handler, idleMsMax)
    }
    const pool = this.#create(endpoint, settings)
    endpoint.pools.push(pool)
    return pool.open(handler, idleMsMax)
  }

  #create(endpoint: LiveEndpoint, settings: PoolSettings): EndpointPool {
    const { protocol, tls } = settings
    if (protocol === 'http2') return this.track(new Http2Pool(endpoint, settings, this))
    if (protocol !== 'auto' || tls === undefined) return new Http1Pool(endpoint, settings, this)
    return new AutoPool(endpoint, settings, tls, this)
  }

  /** A pool whose idle connections are to be closed in time. */
  track(pool: Http2Pool): Http2Pool {
    this.#http2.add(pool)
    return pool
  }

  /** A connection could not be made, for a reason that an operator wants to know; said now and then. */
  report(endpoint: LiveEndpoint, problem: string | undefined): void {
    if (problem === undefined || problem === '') return
    const now = this.now()
    if (now < endpoint.reportAfter) return
    endpoint.reportAfter = now + reportEveryMs
    this.#context.onProblem(endpoint, problem)
  }

  /** The pool of an endpoint that is gone. */
  forget(pool: Http2Pool): void {
    this.#http2.delete(pool)
  }

  connect(target: ConnectTarget, handler: ConnectHandler): Connection {
    this.#context.onOpened()
    return this.#context.transport.connect(target, handler)
  }

  /** Closes the longest idle connections beyond the number allowed. */
  trim(now: number): void {
    while (this.idle.size > this.#idleMax) {
      const { oldest } = this.idle
      if (oldest === undefined || now - oldest.idleSince < restMs) return
      oldest.session.close()
    }
  }

  /** The worker ends: idle connections close, and others as soon as they are done. */
  close(): void {
    this.closing = true
    while (this.idle.size > 0) this.idle.oldest?.session.close()
    for (const pool of this.#http2) pool.retire()
    this.#context.wheel.remove(this.#sweep)
  }

  /** As many sessions may be idle as connections of HTTP/1; the longest idle go first. */
  #boundIdleSessions(): void {
    const idle: IdleSession[] = []
    for (const pool of this.#http2) pool.listIdle(idle)
    this.#idleSessions = Math.min(idle.length, this.#idleMax)
    if (idle.length <= this.#idleMax) return
    idle.sort((a, b) => a.idleSince - b.idleSince)
    for (const { session } of idle.slice(0, idle.length - this.#idleMax)) session.drain()
  }

  onTimer(): void {
    this.#context.wheel.arm(this.#sweep, sweepMs)
    const now = this.now()
    const latest = now - this.#idleMsMax
    for (const pool of this.#http2) pool.sweep(latest)
    this.#boundIdleSessions()
    this.trim(now)
    for (let entry = this.idle.oldest; entry !== undefined && entry.idleSince <= latest;) {
      entry.session.close()
      entry = this.idle.oldest
    }
  }
}

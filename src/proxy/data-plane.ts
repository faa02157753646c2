import type { RequestHead } from '#src/exchange/heads.ts'
import type {
  Peer,
  RequestAcceptor,
  ServerStream,
  ServerStreamHandler,
} from '#src/exchange/streams.ts'
import { Roster } from '#src/exchange/roster.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner } from '#src/exchange/timer-wheel.ts'
import { answers } from '#src/policies/external-auth-cache.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { Key } from '#src/table/keys.ts'
import type { LiveBackend } from '#src/upstream/live-backend.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'
import { UpstreamPools } from '#src/upstream/pools.ts'
import { sessionSecret } from '#src/upstream/sessions.ts'
import type {
  DataPlane as DataPlaneContract,
  DataPlaneOptions,
} from '#src/workers/data-plane-options.ts'
import type { TableUpdate } from '#src/workers/messages.ts'
import { ConnectionAcceptor } from './connection-acceptor.ts'
import { LimitMemory } from '#src/shared/limit-memory.ts'
import { Exchange } from './exchange.ts'
import { HealthChecks } from './health-checks.ts'
import { http2Environment } from './http2-sessions.ts'
import { Listeners } from './listeners.ts'
import { LoadProbes } from './load-probes.ts'
import { LiveTable } from './live-table.ts'
import { WorkerMirrors } from './mirrors.ts'
import { cancelSuspended } from './policy-run.ts'
import { rejectedCell } from './record.ts'
import { statusBody } from './reply.ts'
import { RequestIds } from './request-ids.ts'
import { route } from './route.ts'
import type { Services } from './services.ts'
import { SharedAnswers } from './shared-answers.ts'
import { Tunnels } from './tunnels.ts'
import { TrustedPeers } from './trusted-peers.ts'

const replayBytesMax = 64 * 1024 * 1024
/** How often gauges are written and ejected endpoints looked at. */
const housekeepingMs = 250
/** Tried endpoints that a pick can avoid. */
const triedMax = 64

const opened = workerCell('upstream_connections_opened_total')

const leftOutAnswers = workerCell('auth_answers_left_out_total')
const headTimeouts = workerCell('timeouts_total:request-head')
const bodyTimeouts = workerCell('timeouts_total:request-body')

const gauges = {
  http: workerCell('connections:http'),
  https: workerCell('connections:https'),
  tcp: workerCell('connections:tcp'),
  active: workerCell('upstream_connections:active'),
  idle: workerCell('upstream_connections:idle'),
  replay: workerCell('replay_bytes'),
} as const

/** Kept answers of authentication services that the other workers are told of. */
const answersPerSecond = 1000

/** Clients under limits, where no memory is shared. */
const ownLimits = 1 << 10

/** One worker's data plane: listeners, client connections, the live table, upstream connections. */
export class DataPlane implements DataPlaneContract, RequestAcceptor, TimerOwner {
  readonly #options: DataPlaneOptions
  readonly #services: Services
  readonly #table: LiveTable
  readonly #pools: UpstreamPools
  readonly #acceptor: ConnectionAcceptor
  readonly #listeners: Listeners
  readonly #answers: SharedAnswers
  readonly #housekeeping = new Timer(this)
  readonly #checks: HealthChecks
  /** Backends that hold endpoints back as ejected. */
  readonly #ejecting = new Set<LiveBackend>()
  #drained: (() => void) | undefined

  constructor(options: DataPlaneOptions) {
    this.#options = options
    const { endpoints, rules, worker, writer, wheel, random, sessionKey, log, transport } = options
    const { now, turnNow = now, wallClock } = options
    this.#table = new LiveTable(
      {
        memory: endpoints,
        writer,
        random,
        sessionSecret: sessionKey === undefined ? undefined : sessionSecret(sessionKey),
        now,
        onEjected: (backend) => this.#ejecting.add(backend),
        onReleased: ({ slot }) => {
          options.onReleasedEndpoint(slot)
        },
      },
      (slot) => rules.generation[slot] as number,
    )
    const onOpened = (): void => {
      worker.add(writer, opened, 1)
    }
    const environment = http2Environment(options)
    const onProblem = ({ name }: LiveEndpoint, problem: string): void => {
      log.warn('a connection to an endpoint could not be made', { endpoint: name, problem })
    }
    const context = { transport, wheel, now, onOpened, onProblem, http2Environment: environment }
    this.#pools = new UpstreamPools(context, this.#table.options)
    const probing = { connector: this.#pools, wheel, worker, writer, now }
    this.#services = {
      table: this.#table,
      trustedPeers: new TrustedPeers(this.#table.options.trustedPeers),
      wheel,
      random,
      endpoints,
      rules,
      limits: options.limits ?? LimitMemory.create(ownLimits, options.endpoints.writers),
      worker,
      writer,
      requestIds: new RequestIds(),
      connector: this.#pools,
      loadProbes: new LoadProbes(probing),
      pickInput: { key: 0, now: 0, tried: new Int32Array(triedMax), triedCount: 0, session: 0 },
      replayBytes: 0,
      replayBytesMax,
      mirrors: new WorkerMirrors(() => this.#services),
      draining: false,
      exchanges: 0,
      suspended: new Roster(),
      now,
      turnNow,
      wallClock,
      accessLog: options.accessLog,
      spans: options.spans,
    }
    this.#answers = shareAnswers(options)
    this.#checks = new HealthChecks({ ...probing, memory: endpoints, log })
    this.#acceptor = new ConnectionAcceptor(options, this.#table, {
      requests: this,
      environment,
      tunnels: new Tunnels(this.#services, transport),
    })
    this.#listeners = new Listeners(options, this.#acceptor)
    wheel.arm(this.#housekeeping, housekeepingMs)
  }

  get connectionCount(): number {
    return this.#acceptor.connectionCount
  }

  /** The port that a listener of the table is open at. */
  portOf(key: Key): number | undefined {
    return this.#listeners.portOf(key)
  }

  async apply(update: TableUpdate): Promise<void> {
    const { options: before, clientChanges } = this.#table
    this.#table.apply(update)
    const { options } = this.#table
    if (this.#table.clientChanges !== clientChanges) this.#acceptor.endStale()
    if (options !== before) {
      this.#services.trustedPeers = new TrustedPeers(options.trustedPeers)
      this.#acceptor.setOptions(options)
      this.#pools.setOptions(options)
    }
    if (update.delta.full || update.delta.listeners.size > 0) {
      await this.#listeners.follow(this.#table.listeners)
    }
  }

  setTicketKeys(keys: Buffer): void {
    this.#acceptor.setTicketKeys(keys)
  }

  onRequest(stream: ServerStream, head: RequestHead, ended: boolean): ServerStreamHandler {
    const exchange = new Exchange(this.#services, stream, head, ended)
    try {
      route(exchange)
    } catch (error) {
      this.#options.log.error('a request failed inside the proxy', { error: String(error) })
      exchange.fail('internal')
    }
    return exchange
  }

  onRejected(_peer: Peer, status: number, code: string): string {
    const { worker, writer } = this.#services
    if (code === 'head-timeout') worker.add(writer, headTimeouts, 1)
    else if (code === 'body-timeout') worker.add(writer, bodyTimeouts, 1)
    worker.add(writer, rejectedCell(status), 1)
    return statusBody(status, false)
  }

  async drain(timeoutMs: number): Promise<void> {
    const services = this.#services
    services.draining = true
    cancelSuspended(services)
    await this.#listeners.close()
    this.#acceptor.shutdown()
    const deadline = services.now() + timeoutMs
    while (this.#busy && services.now() < deadline) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
      // Connections that were accepted while the listeners closed have become sessions by now.
      this.#acceptor.shutdown()
    }
    this.#acceptor.destroy()
    this.#pools.close()
    this.#answers.close()
  }

  get #busy(): boolean {
    return this.#acceptor.connectionCount > 0 || this.#services.exchanges > 0
  }

  onTimer(): void {
    const services = this.#services
    const { worker, writer, wheel } = services
    wheel.arm(this.#housekeeping, services.draining ? 0 : housekeepingMs)
    worker.set(writer, gauges.http, this.#acceptor.plainCount)
    worker.set(writer, gauges.https, this.#acceptor.tlsCount)
    worker.set(writer, gauges.tcp, this.#acceptor.streamCount)
    worker.set(writer, gauges.active, this.#pools.activeCount)
    worker.set(writer, gauges.idle, this.#pools.idleCount)
    worker.set(writer, gauges.replay, services.replayBytes)
    const now = services.now()
    if (!services.draining && this.#table.checked.size > 0) this.#checks.run(this.#table.checked)
    for (const backend of this.#ejecting) if (!backend.readmit(now)) this.#ejecting.delete(backend)
    const drained = this.#drained
    this.#drained = undefined
    drained?.()
  }
}

/** All workers of the process hear of the answers that one of them keeps. */
function shareAnswers({ worker, writer, now }: DataPlaneOptions): SharedAnswers {
  return new SharedAnswers('headgate-auth-answers', answers, {
    answersPerSecond,
    now,
    onLeftOut: () => {
      worker.add(writer, leftOutAnswers, 1)
    },
  })
}

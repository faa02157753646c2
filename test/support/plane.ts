import { seededRandom } from '#algorithms/random.ts'
import type { Span } from '#src/exchange/span.ts'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import { DataPlane } from '#src/proxy/data-plane.ts'
import type { ClientCertificatesConfig } from '#src/policies/client-certificates.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { RuleMemory } from '#src/shared/rule-memory.ts'
import { workerCell, WorkerMemory } from '#src/shared/worker-memory.ts'
import { fullDelta } from '#src/table/delta.ts'
import { defaultGlobalOptions, defaultRouteSettings } from '#src/table/defaults.ts'
import type {
  Authorities,
  Backend,
  Balance,
  Certificate,
  ClientCertificates,
  GlobalOptions,
  HealthCheck,
  HandshakeTerms,
  Host,
  Listener,
  RouteSettings,
  RouteTable,
  Rule,
  StreamRoute,
  TableDelta,
  WeightedBackend,
} from '#src/table/table.ts'
import { createTransport } from '#src/transport/select.ts'
import type { Transport, UpstreamTls } from '#src/transport/transport.ts'
import { issue } from '#test/transport/certificates.ts'

export interface PlaneSettings {
  /** Ports of the upstream, all on 127.0.0.1. */
  readonly upstreams: readonly number[]
  readonly hosts?: readonly string[]
  readonly settings?: Partial<RouteSettings>
  readonly options?: Partial<GlobalOptions>
  readonly certificate?: Certificate
  readonly transport?: Transport
  /** What is spoken with the upstreams; HTTP/1.1 without it. */
  readonly protocol?: WeightedBackend['protocol']
  readonly upstreamTls?: UpstreamTls
  readonly followsScheme?: boolean
  readonly connection?: 'close' | 'keep-alive'
  /** How endpoints are chosen; round robin without it. */
  readonly balance?: Balance
  readonly healthCheck?: HealthCheck
  /** TLS that is passed on, by host. */
  readonly passthrough?: Readonly<Record<string, Partial<StreamRoute>>>
  /** A TCP listener, key `tcp`. */
  readonly stream?: Partial<StreamRoute>
  /** PROXY headers are expected everywhere. */
  readonly proxyProtocol?: boolean
  /** What TLS may agree on, by host. */
  readonly handshakes?: Readonly<Record<string, HandshakeTerms>>
  /** What is on the rules of these hosts, beside what is asked of their clients. */
  readonly policies?: Readonly<Record<string, readonly PolicyUse[]>>
  /** What is asked of clients, by host. */
  readonly clients?: Readonly<Record<string, PlaneClients>>
}

/** Demands on the certificates of clients. */
export interface PlaneClients {
  /** Name of the Secret; `ca` without it. */
  readonly secret?: string
  readonly ca: string
  readonly crl?: string
  /** Policy of the host's rule; without it nothing judges what clients show. */
  readonly config?: Partial<ClientCertificatesConfig>
}

const httpListener: Omit<Listener, 'hostGroup'> = {
  key: 'http',
  protocol: 'http',
  addresses: [],
  port: 0,
  proxyProtocol: false,
  defaultCertificate: undefined,
}

/** A data plane in this thread on free ports of 127.0.0.1, with one rule per host. */
export class TestPlane {
  readonly plane: DataPlane
  readonly endpoints = EndpointMemory.create(1024, 1)
  readonly rules = RuleMemory.create(256, 1)
  readonly worker = WorkerMemory.create(1)
  readonly lines: string[] = []
  readonly spans: Span[] = []
  readonly released: number[] = []
  readonly warnings: object[] = []
  httpPort = 0
  httpsPort = 0
  tcpPort = 0
  readonly #wheel: TimerWheel
  readonly #ticking: NodeJS.Timeout
  #settings: PlaneSettings
  readonly #slots = new Map<string, number>()
  #version = 0

  private constructor(settings: PlaneSettings, transport: Transport) {
    this.#settings = settings
    this.#wheel = new TimerWheel(performance.now())
    this.#ticking = setInterval(() => {
      this.#wheel.advance(performance.now())
    }, this.#wheel.tickMs)
    this.plane = new DataPlane({
      transport,
      endpoints: this.endpoints,
      rules: this.rules,
      worker: this.worker,
      writer: 0,
      wheel: this.#wheel,
      now: () => performance.now(),
      wallClock: Date.now,
      random: seededRandom(7),
      accessLog: { write: (line) => this.lines.push(line) },
      spans: { record: (span) => this.spans.push(span) },
      bindAddresses: ['127.0.0.1'],
      ticketKeys: Buffer.alloc(48, 1),
      log: {
        debug() {},
        info() {},
        warn: (message, fields) => this.warnings.push({ message, ...fields }),
        error() {},
      },
      onReleasedEndpoint: (slot) => this.released.push(slot),
    })
  }

  static async start(settings: PlaneSettings): Promise<TestPlane> {
    const plane = new TestPlane(settings, settings.transport ?? (await createTransport()))
    await plane.apply(settings.upstreams)
    plane.httpPort = plane.plane.portOf('http') ?? 0
    plane.httpsPort = plane.plane.portOf('https') ?? 0
    plane.tcpPort = plane.plane.portOf('tcp') ?? 0
    return plane
  }

  /** A data plane for what a compiler made, with a listener for http. */
  static async ofTable(table: RouteTable): Promise<TestPlane> {
    const plane = new TestPlane({ upstreams: [] }, await createTransport())
    await plane.applyTable(table)
    plane.httpPort = plane.plane.portOf('http') ?? 0
    return plane
  }

  async applyTable(table: RouteTable): Promise<void> {
    const [host] = table.hosts.values()
    const base = { ...httpListener, hostGroup: host?.hostGroup ?? '' }
    const listeners = new Map([['http', base]])
    const endpointSlots = new Map<string, Int32Array>()
    for (const { key, endpoints } of table.backends.values()) {
      const names = endpoints.map(({ address, port }) => `endpoint ${key} ${address} ${port}`)
      endpointSlots.set(
        key,
        Int32Array.from(names, (name) => this.#slotOf(name)),
      )
    }
    const rules = [...table.hosts.values()].flatMap((one) => one.rules)
    const ruleSlots = new Map(rules.map(({ key }, i) => [key, i + 1]))
    const delta = fullDelta({ ...table, listeners }, ++this.#version)
    await this.plane.apply({ delta, endpointSlots, ruleSlots })
  }

  /** The value of a worker's metric, e.g. `timeouts_total:connect`. */
  metric(name: Parameters<typeof workerCell>[0]): number {
    return this.worker.sum(workerCell(name))
  }

  /** Puts a table with these upstreams in force: a delta of what differs, or a full one at first. */
  async apply(
    upstreams: readonly number[],
    changed: Partial<RouteSettings> = {},
    checked = true,
  ): Promise<void> {
    const { healthCheck } = this.#settings
    const backend = backendOf(upstreams, checked ? healthCheck : undefined)
    const full = this.#version === 0
    const delta: TableDelta = {
      version: ++this.#version,
      full,
      listeners: full ? this.#listeners() : new Map(),
      hosts: new Map(this.#hosts(changed).map((host) => [host.key, host])),
      backends: new Map([['app', backend]]),
      certificates: new Map(this.#certificates().map((one) => [one.key, one])),
      authorities: this.#authorities(),
      options: { ...defaultGlobalOptions, ...this.#settings.options },
    }
    const slots = Int32Array.from(upstreams, (port) => this.#slotOf(`endpoint ${port}`))
    const ruleSlots = new Map(this.#hosts(changed).map(({ key }) => [`rule ${key}`, 1]))
    await this.plane.apply({ delta, endpointSlots: new Map([['app', slots]]), ruleSlots })
  }

  /** Other demands on clients, with the next table. */
  setClients(clients: Readonly<Record<string, PlaneClients>>): void {
    this.#settings = { ...this.#settings, clients }
  }

  async stop(drainMs = 0): Promise<void> {
    await this.plane.drain(drainMs)
    // What lingers has its deadline on the wheel.
    this.#ticking.unref()
  }

  #slotOf(name: string): number {
    const slot = this.#slots.get(name) ?? this.#slots.size + 1
    this.#slots.set(name, slot)
    return slot
  }

  #certificates(): Certificate[] {
    const { certificate } = this.#settings
    return certificate === undefined ? [] : [certificate]
  }

  #authorities(): Map<string, Authorities> {
    const all = Object.values(this.#settings.clients ?? {}).map(
      ({ secret = 'ca', ca, crl = '' }) => ({
        key: secret,
        origin: { kind: 'Secret', namespace: 'default', name: secret },
        caPem: ca,
        crlPem: crl,
        fingerprint: `${ca}${crl}`,
      }),
    )
    return new Map(all.map((one) => [one.key, one]))
  }

  #listeners(): Map<string, Listener> {
    const { stream, proxyProtocol = false } = this.#settings
    const base = { addresses: [], hostGroup: 'all', proxyProtocol }
    const listeners = new Map<string, Listener>()
    listeners.set('http', { ...httpListener, ...base })
    if (stream !== undefined) {
      listeners.set('tcp', {
        ...base,
        key: 'tcp',
        protocol: 'tcp',
        port: 0,
        defaultCertificate: undefined,
        stream: streamOf(stream),
      })
    }
    const { certificate } = this.#settings
    if (certificate !== undefined) {
      listeners.set('https', {
        ...base,
        key: 'https',
        protocol: 'https',
        port: 0,
        defaultCertificate: certificate.key,
      })
    }
    return listeners
  }

  #hosts(changed: Partial<RouteSettings>): Host[] {
    const settings = { ...defaultRouteSettings, ...this.#settings.settings, ...changed }
    return (this.#settings.hosts ?? ['']).map((pattern) =>
      hostOf(pattern, settings, this.#settings),
    )
  }
}

function hostOf(pattern: string, settings: RouteSettings, plane: PlaneSettings): Host {
  const passthrough = plane.passthrough?.[pattern]
  return {
    key: `host ${pattern}`,
    hostGroup: 'all',
    pattern,
    rules: [ruleOf(pattern, settings, plane)],
    certificate: undefined,
    tls: false,
    clientCertificates: clientsOf(plane, pattern),
    ...handshakeOf(plane, pattern),
    ...(passthrough !== undefined && { passthrough: streamOf(passthrough) }),
  }
}

function streamOf(changed: Partial<StreamRoute>): StreamRoute {
  return {
    origin: { kind: 'ConfigMap', namespace: 'default', name: 'tcp' },
    backend: 'app',
    service: 'app',
    balance: { algorithm: 'round-robin', options: {}, hashKey: [] },
    connectTimeoutMs: 5000,
    idleTimeoutMs: 60_000,
    triesMax: 3,
    retryTimeoutMs: 0,
    sendProxyHeader: false,
    ...changed,
  }
}

function clientsOf({ clients }: PlaneSettings, host: string): ClientCertificates | undefined {
  const demands = clients?.[host]
  if (demands === undefined || demands.config?.verify === 'off') return undefined
  const { secret = 'ca', config } = demands
  return { policy: `${secret} ${config?.verify} ${config?.depth}`, authorities: secret }
}

function handshakeOf({ handshakes }: PlaneSettings, host: string): Pick<Host, 'handshake'> {
  const handshake = handshakes?.[host]
  return handshake === undefined ? {} : { handshake }
}

function policiesOf({ clients, policies }: PlaneSettings, host: string): readonly PolicyUse[] {
  const others = policies?.[host] ?? []
  const { secret = 'ca', config } = clients?.[host] ?? {}
  if (config === undefined) return others
  const demands: ClientCertificatesConfig = {
    closed: false,
    authorities: secret,
    verify: 'on',
    depth: 1,
    errorPage: '',
    subject: '',
    passCertificate: false,
    ...config,
  }
  return [{ name: 'client-certificates', config: demands }, ...others]
}

function ruleOf(host: string, settings: RouteSettings, plane: PlaneSettings): Rule {
  const { balance, protocol, upstreamTls, followsScheme, connection } = plane
  return {
    key: `rule host ${host}`,
    origin: { kind: 'Ingress', namespace: 'default', name: 'app' },
    path: { type: 'prefix', value: '' },
    pathText: '/',
    predicates: [],
    settings,
    policies: policiesOf(plane, host),
    backends: [
      {
        backend: 'app',
        service: 'app',
        weight: 1,
        balance: balance ?? { algorithm: 'round-robin', options: {}, hashKey: [] },
        protocol: protocol ?? 'http1',
        tls: upstreamTls,
        ...(followsScheme !== undefined && { followsScheme }),
        ...(connection !== undefined && { connection }),
        policies: [],
      },
    ],
  }
}

function backendOf(ports: readonly number[], healthCheck?: HealthCheck): Backend {
  return {
    key: 'app',
    service: { kind: 'Service', namespace: 'default', name: 'app' },
    servicePort: 80,
    clientIpAffinitySeconds: 0,
    ...(healthCheck !== undefined && { healthCheck }),
    endpoints: ports.map((port) => ({
      address: '127.0.0.1',
      port,
      uid: '',
      state: 'ready',
      weight: 1,
      zone: '',
      node: '',
    })),
  }
}

/** A fresh certificate of its own for a host, and others. */
export async function certificateFor(host: string, ...others: string[]): Promise<Certificate> {
  const names = [host, ...others]
  const { certificatePem, keyPem } = await issue({ commonName: host, names })
  return {
    key: `certificate ${host}`,
    origin: { kind: 'Secret', namespace: 'default', name: host },
    certificatePem,
    keyPem,
    names,
    fingerprint: host,
    notAfterMs: Number.MAX_SAFE_INTEGER,
  }
}

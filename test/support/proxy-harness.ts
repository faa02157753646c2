import { seededRandom } from '#algorithms/random.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { takeRequestHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type {
  ClientStream,
  ClientStreamHandler,
  Peer,
  ServerStream,
} from '#src/exchange/streams.ts'
import { Roster } from '#src/exchange/roster.ts'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Phases } from '#src/policies/policy.ts'
import { Exchange } from '#src/proxy/exchange.ts'
import { LoadProbes } from '#src/proxy/load-probes.ts'
import type { LiveRule } from '#src/proxy/live-rule.ts'
import type { LiveTable } from '#src/proxy/live-table.ts'
import { WorkerMirrors } from '#src/proxy/mirrors.ts'
import { linkPolicies } from '#src/proxy/policy-chain.ts'
import { PolicyRun } from '#src/proxy/policy-run.ts'
import { RequestIds } from '#src/proxy/request-ids.ts'
import type { Services } from '#src/proxy/services.ts'
import { TrustedPeers } from '#src/proxy/trusted-peers.ts'
import { LimitMemory } from '#src/shared/limit-memory.ts'
import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { RuleMemory } from '#src/shared/rule-memory.ts'
import { WorkerMemory } from '#src/shared/worker-memory.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'
import type { Backend, RouteSettings } from '#src/table/table.ts'
import type { UpstreamConnector } from '#src/upstream/pool.ts'
import { LiveBackend } from '#src/upstream/live-backend.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'

export const peer: Peer = {
  address: '192.0.2.7',
  port: 40_000,
  localAddress: '192.0.2.1',
  localPort: 80,
  socketAddress: '192.0.2.7',
  scheme: 'http',
  tls: undefined,
}

export const settings: RouteSettings = {
  bodyBytesMax: 1024 * 1024,
  responseHeadBytesMax: 0,
  connectTimeoutMs: 5000,
  sendTimeoutMs: 60_000,
  readTimeoutMs: 60_000,
  retry: {
    triesMax: 3,
    timeoutMs: 0,
    onError: true,
    onTimeout: true,
    onInvalidHeader: false,
    onStatuses: [],
    nonIdempotent: false,
  },
  requestBuffering: true,
  accessLog: true,
  strictPath: false,
}

/** A client that writes down what it gets. */
export class FakeClient implements ServerStream {
  readonly peer = peer
  backedUp = false
  status = 0
  interims: number[] = []
  fields: string[] = []
  body = ''
  ended = false
  trailers: string[] | undefined
  resetBy = ''
  paused = false
  flushes = 0

  sendInterim(head: ResponseHead): void {
    this.interims.push(head.status)
  }
  sendHead(head: ResponseHead, ended: boolean): void {
    this.status = head.status
    this.fields = toPairs(head.fields)
    this.ended = ended
  }
  sendText(text: string): boolean {
    this.body += text
    return !this.backedUp
  }
  sendData(buffer: Buffer, start: number, end: number): boolean {
    return this.sendText(buffer.latin1Slice(start, end))
  }
  sendEnd(trailers: Fields | undefined): void {
    this.ended = true
    this.trailers = trailers === undefined ? undefined : toPairs(trailers)
  }
  flush(): void {
    this.flushes++
  }
  reset(reason: string): void {
    this.resetBy = reason
  }
  pauseBody(): void {
    this.paused = true
  }
  resumeBody(): void {
    this.paused = false
  }
}

/** One try as an upstream sees it; the test plays the upstream through `handler`. */
export class FakeUpstream implements ClientStream {
  readonly endpoint: LiveEndpoint
  readonly handler: ClientStreamHandler
  readonly idleMsMax: number
  reused = false
  connected = true
  sent = false
  backedUp = false
  request = ''
  body = ''
  ended = false
  resetBy = ''
  paused = false

  constructor(endpoint: LiveEndpoint, handler: ClientStreamHandler, idleMsMax: number) {
    this.endpoint = endpoint
    this.handler = handler
    this.idleMsMax = idleMsMax
  }
  sendHead(head: RequestHead, ended: boolean): void {
    this.sent = true
    this.request = `${head.method} ${head.authority}${head.target}`
    this.ended = ended
  }
  sendText(text: string): boolean {
    this.body += text
    return !this.backedUp
  }
  sendData(buffer: Buffer, start: number, end: number): boolean {
    return this.sendText(buffer.latin1Slice(start, end))
  }
  sendEnd(): void {
    this.ended = true
  }
  flush(): void {}
  reset(reason: string): void {
    this.resetBy = reason
  }
  pauseBody(): void {
    this.paused = true
  }
  resumeBody(): void {
    this.paused = false
  }

  /** Answers whole. */
  answer(status: number, body = '', fields: readonly string[] = []): void {
    const head = takeResponseHead()
    head.status = status
    head.contentLength = body.length
    for (let i = 0; i < fields.length; i += 2) {
      head.fields.append(fields[i] as string, fields[i + 1] as string)
    }
    this.handler.onResponse(head, body === '')
    if (body !== '') {
      const bytes = Buffer.from(body, 'latin1')
      this.handler.onResponseBody(bytes, 0, bytes.length)
      this.handler.onResponseEnd(undefined)
    }
    this.handler.onResponseFlush()
  }
}

/** One worker without sockets: exchanges against clients and upstreams that the test plays. */
export class ProxyHarness {
  now = 1_000_000
  readonly upstreams: FakeUpstream[] = []
  readonly backend: LiveBackend
  readonly services: Services
  readonly released: LiveEndpoint[] = []
  readonly lines: string[] = []

  constructor(endpoints = 3) {
    const memory = EndpointMemory.create(512, 1)
    const backend = backendOf('app', endpoints)
    const context = {
      memory,
      writer: 0,
      random: seededRandom(1),
      now: () => this.now,
      onEjected: () => {},
      onReleased: (endpoint: LiveEndpoint) => this.released.push(endpoint),
    }
    this.backend = new LiveBackend(
      backend,
      Int32Array.from(backend.endpoints, (_, i) => i + 1),
      context,
    )
    const connector: UpstreamConnector = {
      open: (endpoint, _pool, handler, idleMsMax) => {
        const upstream = new FakeUpstream(endpoint, handler, idleMsMax)
        this.upstreams.push(upstream)
        return upstream
      },
    }
    const wheel = new TimerWheel(this.now)
    const worker = WorkerMemory.create(1)
    const now = (): number => this.now
    this.services = {
      table: {
        options: { ...defaultGlobalOptions, hsts: '' },
        subrequestRule: (key: string) => (key === 'auth' ? this.rule([]) : undefined),
      } as unknown as LiveTable,
      trustedPeers: new TrustedPeers([]),
      wheel,
      random: seededRandom(2),
      endpoints: memory,
      limits: LimitMemory.create(64, memory.writers),
      rules: RuleMemory.create(8, 1),
      worker,
      writer: 0,
      requestIds: new RequestIds(),
      connector,
      loadProbes: new LoadProbes({ connector, wheel, worker, writer: 0, now }),
      pickInput: { key: 0, now: 0, tried: new Int32Array(16), triedCount: 0, session: 0 },
      replayBytes: 0,
      replayBytesMax: 1024 * 1024,
      mirrors: new WorkerMirrors(() => this.services),
      draining: false,
      exchanges: 0,
      suspended: new Roster(),
      now,
      turnNow: now,
      wallClock: () => 0,
      accessLog: { write: (line) => this.lines.push(line) },
      spans: undefined,
    }
  }

  /** The upstream of the newest try. */
  get upstream(): FakeUpstream {
    return this.upstreams.at(-1) as FakeUpstream
  }

  rule(phases: readonly Phases[], changed: Partial<RouteSettings> = {}): LiveRule {
    const balance = { algorithm: 'round-robin', options: {}, hashKey: [] }
    const use = {
      backend: 'app',
      service: 'app',
      weight: 1,
      balance,
      protocol: 'http1',
      tls: undefined,
      policies: [],
    } as const
    return {
      rule: {
        key: 'rule',
        origin: { kind: 'Ingress', namespace: 'default', name: 'app' },
        path: { type: 'prefix', value: '' },
        pathText: '/',
        predicates: [],
        settings: { ...settings, ...changed },
        policies: [],
        backends: [use],
      },
      slot: 1,
      generation: 0,
      recorded: true,
      policies: phases.length === 0 ? undefined : linkPolicies(phases),
      targets: [
        {
          use,
          backend: this.backend,
          balancer: this.backend.balancerFor(balance),
          pool: { protocol: 'http1', tls: undefined },
        },
      ],
      weight: 1,
    }
  }

  /** Starts an exchange; the request's head has come, its body has not. */
  start(
    live: LiveRule,
    request: {
      method?: string
      target?: string
      contentLength?: number
      upgrade?: string
      version?: number
      fields?: readonly string[]
    } = {},
  ): { exchange: Exchange; client: FakeClient } {
    const client = new FakeClient()
    const head = takeRequestHead()
    head.method = request.method ?? 'GET'
    head.target = request.target ?? '/'
    head.authority = 'app.example'
    head.contentLength = request.contentLength ?? 0
    head.upgrade = request.upgrade ?? ''
    head.version = request.version ?? 11
    const fields = request.fields ?? []
    for (let i = 0; i < fields.length; i += 2) {
      head.fields.append(fields[i] as string, fields[i + 1] as string)
    }
    const exchange = new Exchange(this.services, client, head, head.contentLength === 0)
    exchange.host = 'app.example'
    exchange.path = '/'
    exchange.clientAddress = peer.address
    if (live.policies !== undefined) exchange.policies = new PolicyRun(exchange, live.policies)
    exchange.begin(live)
    return { exchange, client }
  }

  /** Lets time pass. */
  advance(ms: number): void {
    const end = this.now + ms
    while (this.now < end) {
      this.now = Math.min(end, this.now + this.services.wheel.tickMs)
      this.services.wheel.advance(this.now)
    }
  }
}

export function backendOf(name: string, count: number): Backend {
  return {
    key: name,
    service: { kind: 'Service', namespace: 'default', name },
    servicePort: 80,
    clientIpAffinitySeconds: 0,
    endpoints: Array.from({ length: count }, (_, i) => ({
      address: `198.18.0.${i + 1}`,
      port: 8080,
      uid: `pod-${i}`,
      state: 'ready',
      weight: 1,
      zone: '',
      node: '',
    })),
  }
}

/** Sends a request body in chunks, and its end. */
export function sendBody(exchange: Exchange, ...chunks: string[]): void {
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk, 'latin1')
    exchange.onRequestBody(bytes, 0, bytes.length)
  }
  exchange.onRequestEnd(undefined)
  exchange.onRequestFlush()
}

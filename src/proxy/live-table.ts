import { HostTable } from '#algorithms/match/host-table.ts'
import type { Peer } from '#src/exchange/streams.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { startPolicy } from '#src/policies/index.ts'
import type { PolicyName } from '#src/policies/index.ts'
import type { LogPart } from '#src/policies/log-variables.ts'
import { defaultGlobalOptions, defaultRouteSettings } from '#src/table/defaults.ts'
import type { Key } from '#src/table/keys.ts'
import type {
  Authorities,
  Backend,
  Certificate,
  GlobalOptions,
  Host,
  Listener,
  TableDelta,
} from '#src/table/table.ts'
import type { TableUpdate } from '#src/workers/messages.ts'
import { LiveBackend } from '#src/upstream/live-backend.ts'
import type { BackendContext } from '#src/upstream/live-backend.ts'
import { contextOf } from './connection-context.ts'
import { LiveHost } from './live-host.ts'
import type { LiveRule } from './live-rule.ts'
import { linkStream, unlinkStream } from './live-stream.ts'
import type { LiveStream } from './live-stream.ts'
import { linkRule, linkSubrequest, unlinkRule } from './link.ts'
import type { LinkContext } from './link.ts'
import { linkPolicies } from './policy-chain.ts'
import type { PolicyChain } from './policy-chain.ts'
import { PoolSettingsCache } from './pool-settings.ts'

/** Hosts that share listeners: who is asked by name, and whose certificate is shown. */
interface HostGroup {
  readonly hosts: HostTable<LiveHost>
  /** Certificates by the names of TLS sections, for SNI. */
  readonly certificates: HostTable<Key>
  /** Hosts that ask for client certificates; 0 nearly always. */
  clientPolicies: number
}

const clientPolicy: PolicyName = 'client-certificates'

/**
 * The table in force in one worker, with code attached. A delta changes it in place within one turn
 * of the event loop, so that no request sees half of it; an exchange keeps the rule it matched.
 */
export class LiveTable {
  version = 0
  /** Grows with every update: what was found in the table before may be another now. */
  updates = 0
  options: GlobalOptions = defaultGlobalOptions
  /** Lines of the log name the address or the port that clients connected to. */
  logsServerPlace = false
  /** What meets requests that no rule takes; undefined nearly always. */
  unmatched: PolicyChain | undefined
  readonly listeners = new Map<Key, Listener>()
  /** Where connections of TCP listeners go. */
  readonly streams = new Map<Key, LiveStream>()
  readonly certificates = new Map<Key, Certificate>()
  readonly authorities = new Map<Key, Authorities>()
  /** Grows whenever what some clients are asked for may have changed. */
  clientChanges = 0
  /** Hosts whose upstreams are told of the certificates of clients. */
  tellingHosts = 0
  readonly #groups = new Map<string, HostGroup>()
  readonly #hosts = new Map<Key, LiveHost>()
  readonly #backends = new Map<Key, LiveBackend>()
  readonly #context: BackendContext
  readonly #link: LinkContext

  constructor(context: BackendContext, generationOf: (slot: number) => number) {
    this.#context = context
    this.#link = {
      backendFor: (key) => this.#backendFor(key),
      dropUnused: (backend) => {
        this.#dropUnused(backend)
      },
      generationOf,
      pools: new PoolSettingsCache(),
    }
  }

  /** Puts an update in force. */
  apply({ delta, endpointSlots, ruleSlots }: TableUpdate): void {
    this.version = delta.version
    this.updates++
    if (delta.options !== undefined) this.#setOptions(delta.options)
    for (const [key, backend] of delta.backends) {
      if (backend !== undefined) this.#setBackend(backend, endpointSlots.get(key))
    }
    for (const [key, host] of delta.hosts) {
      if (host === undefined) this.#deleteHost(key)
      else this.#setHost(host, ruleSlots)
    }
    for (const [key, backend] of delta.backends) if (backend === undefined) this.#deleteBackend(key)
    for (const [key, listener] of delta.listeners) this.#setListener(key, listener)
    applyChanges(this.certificates, delta.certificates)
    applyChanges(this.authorities, delta.authorities)
    this.clientChanges += delta.authorities.size
    if (delta.full) this.#dropUnnamed(delta)
  }

  /** The rule for a request, or undefined. `host` is in lower case, without port. */
  match(group: string, host: string, path: string, request: RequestHead): LiveRule | undefined {
    return this.#groups.get(group)?.hosts.match(host)?.match(path, request)
  }

  hostFor(group: string, host: string): LiveHost | undefined {
    return this.#groups.get(group)?.hosts.match(host)
  }

  /** The certificate to show for this server name, or undefined. */
  certificateFor(listener: Listener, serverName: string): Certificate | undefined {
    const key =
      this.#groups.get(listener.hostGroup)?.certificates.match(serverName) ??
      listener.defaultCertificate
    return key === undefined ? undefined : this.certificates.get(key)
  }

  /** The host that clients with this server name mean; '' names the one for every other host. */
  hostAt(listener: Listener, serverName: string): LiveHost | undefined {
    return this.hostFor(listener.hostGroup, serverName)
  }

  /**
   * Whether a request for `host` must not be served on this connection (421, RFC 9110 15.5.20): it was
   * verified under another client-certificate policy than the host's, or it is an HTTP/2 connection
   * that a client uses for a host which its certificate does not cover.
   */
  misdirects(peer: Peer, group: string, host: string): boolean {
    const { tls } = peer
    if (tls === undefined || tls.serverName === host) return false
    if (this.#policiesDiffer(group, host, tls.serverName)) return true
    if (tls.alpn !== 'h2' || tls.serverName === '') return false
    const { certificate } = contextOf(peer)
    return certificate !== undefined && !coversHost(certificate.names, host)
  }

  #policiesDiffer(group: string, host: string, serverName: string): boolean {
    const hosts = this.#groups.get(group)
    if (hosts === undefined || hosts.clientPolicies === 0) return false
    const asked = hosts.hosts.match(host)?.host.clientCertificates?.policy
    return asked !== hosts.hosts.match(serverName)?.host.clientCertificates?.policy
  }

  /** A rule for a request of our own to a backend of the table; undefined when there is none. */
  subrequestRule(key: Key, timeoutMs: number, serverName = ''): LiveRule | undefined {
    const backend = this.#backends.get(key)
    if (backend === undefined) return undefined
    const settings = {
      ...defaultRouteSettings,
      connectTimeoutMs: Math.min(timeoutMs, defaultRouteSettings.connectTimeoutMs),
      readTimeoutMs: timeoutMs,
      sendTimeoutMs: timeoutMs,
    }
    return linkSubrequest(backend, settings, serverName, this.#link)
  }

  /** Backends whose endpoints are to be checked. */
  readonly checked = new Set<LiveBackend>()

  /** Slots of every endpoint that something still refers to are counted; for tests and status. */
  get backendCount(): number {
    return this.#backends.size
  }

  #setOptions(options: GlobalOptions): void {
    const { policies, logFormat } = options
    this.options = options
    this.logsServerPlace = logFormat.some(isServerPlace)
    this.unmatched = policies.length === 0 ? undefined : linkPolicies(policies.map(startPolicy))
  }

  #group(name: string): HostGroup {
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = { hosts: new HostTable(), certificates: new HostTable(), clientPolicies: 0 }
      this.#groups.set(name, group)
    }
    return group
  }

  #setHost(host: Host, ruleSlots: ReadonlyMap<Key, number>): void {
    const before = this.#hosts.get(host.key)
    // Linked before the old one goes, so that a backend both use keeps its balancers.
    const rules = host.rules.map((rule) => linkRule(rule, ruleSlots.get(rule.key) ?? 0, this.#link))
    const passthrough = host.passthrough && linkStream(host.passthrough, this.#link)
    if (before !== undefined) this.#remove(before)
    const live = new LiveHost(host, rules, passthrough)
    this.#hosts.set(host.key, live)
    const asked = host.clientCertificates?.policy
    if (before?.host.clientCertificates?.policy !== asked) this.clientChanges++
    const group = this.#group(host.hostGroup)
    group.hosts.set(host.pattern, live)
    if (host.certificate !== undefined) group.certificates.set(host.pattern, host.certificate)
    if (host.clientCertificates !== undefined) group.clientPolicies++
    if (tellsOfClients(host)) this.tellingHosts++
  }

  #setListener(key: Key, listener: Listener | undefined): void {
    const before = this.streams.get(key)
    const stream = listener?.stream && linkStream(listener.stream, this.#link)
    if (stream === undefined) this.streams.delete(key)
    else this.streams.set(key, stream)
    if (before !== undefined) unlinkStream(before, this.#link)
    if (listener === undefined) this.listeners.delete(key)
    else this.listeners.set(key, listener)
  }

  #deleteHost(key: Key): void {
    const live = this.#hosts.get(key)
    if (live === undefined) return
    if (live.host.clientCertificates !== undefined) this.clientChanges++
    this.#remove(live)
  }

  #remove(live: LiveHost): void {
    const { host } = live
    const group = this.#group(host.hostGroup)
    this.#hosts.delete(host.key)
    group.hosts.delete(host.pattern)
    group.certificates.delete(host.pattern)
    if (host.clientCertificates !== undefined) group.clientPolicies--
    if (tellsOfClients(host)) this.tellingHosts--
    for (const rule of live.rules) unlinkRule(rule, this.#link)
    if (live.passthrough !== undefined) unlinkStream(live.passthrough, this.#link)
  }

  #setBackend(backend: Backend, given: Int32Array | undefined): void {
    const slots = given ?? new Int32Array(backend.endpoints.length)
    let live = this.#backends.get(backend.key)
    if (live === undefined) {
      live = new LiveBackend(backend, slots, this.#context)
      this.#backends.set(backend.key, live)
    } else {
      live.update(backend, slots)
    }
    if (backend.healthCheck === undefined) this.checked.delete(live)
    else this.checked.add(live)
  }

  /** The backend of this key. A rule may come before its backend does: it starts out empty. */
  #backendFor(key: Key): LiveBackend {
    let live = this.#backends.get(key)
    if (live === undefined) {
      const service = { kind: 'Service', namespace: '', name: '' }
      const empty = {
        key,
        service,
        servicePort: 0,
        endpoints: [],
        clientIpAffinitySeconds: 0,
      }
      live = new LiveBackend(empty, new Int32Array(0), this.#context)
      live.named = false
      this.#backends.set(key, live)
    }
    return live
  }

  #deleteBackend(key: Key): void {
    const live = this.#backends.get(key)
    if (live === undefined) return
    live.update({ ...live.backend, endpoints: [] }, new Int32Array(0))
    live.named = false
    this.checked.delete(live)
    this.#dropUnused(live)
  }

  #dropUnused(backend: LiveBackend): void {
    if (backend.users === 0 && !backend.named) this.#backends.delete(backend.key)
  }

  #dropUnnamed(delta: TableDelta): void {
    for (const [key, live] of this.#hosts) if (!delta.hosts.has(key)) this.#remove(live)
    for (const [key, { named }] of this.#backends) {
      if (named && !delta.backends.has(key)) this.#deleteBackend(key)
    }
    for (const key of this.listeners.keys()) {
      if (!delta.listeners.has(key)) this.#setListener(key, undefined)
    }
    keepNamed(this.certificates, delta.certificates)
    keepNamed(this.authorities, delta.authorities)
  }
}

function tellsOfClients({ rules }: Host): boolean {
  return rules.some(({ policies }) => policies.some(({ name }) => name === clientPolicy))
}

/** Whether a certificate for these names is good for the host: itself, or a wildcard for its first label. */
function coversHost(names: readonly string[], host: string): boolean {
  const dot = host.indexOf('.')
  return names.includes(host) || (dot > 0 && names.includes(`*${host.slice(dot)}`))
}

function keepNamed<Part>(parts: Map<Key, Part>, named: ReadonlyMap<Key, unknown>): void {
  for (const key of parts.keys()) if (!named.has(key)) parts.delete(key)
}

function applyChanges<Part>(
  parts: Map<Key, Part>,
  changes: ReadonlyMap<Key, Part | undefined>,
): void {
  for (const [key, part] of changes) {
    if (part === undefined) parts.delete(key)
    else parts.set(key, part)
  }
}

function isServerPlace(part: LogPart): boolean {
  return 'variable' in part && (part.variable === 'server_addr' || part.variable === 'server_port')
}

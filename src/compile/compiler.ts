import { Diagnostics } from '#src/annotations/diagnostics.ts'
import { quote } from '#src/annotations/schema.ts'
import type { ClientCertificatesConfig } from '#src/policies/client-certificates.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import { sameItems } from '#src/snapshot/equal.ts'
import type { EndpointSlice, Ingress, Service } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import type { Key } from '#src/table/keys.ts'
import type { Authorities, Certificate, Host, Listener, Rule } from '#src/table/table.ts'
import { activeSide } from './active-side.ts'
import { Backends } from './backends.ts'
import { noServiceValues, readService } from './backend-use.ts'
import type { ServiceValues } from './backend-use.ts'
import { withCanaries } from './canaries.ts'
import { Certificates } from './certificates.ts'
import { ClientAuthorities } from './client-authorities.ts'
import { ClientCertificateBinder } from './client-certificates.ts'
import { ownershipOf } from './classes.ts'
import { defaultBackendRule, findDefaultBackend, findDefaultCertificate } from './command-line.ts'
import { EverywhereCompiler } from './everywhere.ts'
import { reportOn, sortFindings } from './findings.ts'
import { handshakeOf } from './handshakes.ts'
import { assembleHost, gatherHosts } from './hosts.ts'
import type { HostParts, OwnedRoute } from './hosts.ts'
import { hasRoutes, parseIngress } from './ingress.ts'
import { makesRegex } from './regex-scope.ts'
import { extraHosts, makeHost } from './extra-hosts.ts'
import { findObject, findObjects } from './object-references.ts'
import type { ParsedIngress } from './ingress.ts'
import { matchesLabels } from './label-selector.ts'
import { compileListeners } from './listeners.ts'
import { Memo } from './memo.ts'
import { Moment } from './moment.ts'
import { compileOptions } from './options.ts'
import type { Options } from './options.ts'
import { byAge, compareText, sortedByKey } from './order.ts'
import { isKept } from './kept.ts'
import type { Kept } from './kept.ts'
import type { Compiled } from './compiled.ts'
import { collectReferences } from './references.ts'
import { compileRule } from './rules.ts'
import type { CompiledRule, RuleContext } from './rules.ts'
import type { Target } from './services/backends.ts'
import { passthroughOf } from './passthrough.ts'
import { compileTcpServices } from './streams.ts'
import type { CertificateReaders, CompileSettings } from './settings.ts'
import { inOrder } from './rule-order.ts'
import { serverRule, serverSnippetOf } from './snippets.ts'
import { bindTls, reportTlsSecrets } from './tls.ts'

export type { Compiled } from './compiled.ts'

/** What the rules of a host have in common. */
type HostMode = Pick<RuleContext, 'tls' | 'regex' | 'clients' | 'server'>

const noParts: HostParts = { routes: [], owners: [] }

/** What one compilation gathers on its way. */
interface Round {
  readonly snapshot: Snapshot
  readonly options: Options
  /** Policies that hold for everything. */
  readonly everywhere: readonly PolicyUse[]
  readonly diagnostics: Diagnostics
  readonly targets: Map<Key, Target>
  readonly certificates: Map<Key, Certificate>
  readonly authorities: Map<Key, Authorities>
  /** The target of --default-backend-service, if it can be used. */
  readonly lastTarget: Target | undefined
  /** Services whose endpoints decided where a route leads, and what these were. */
  readonly sides: Map<Service, readonly EndpointSlice[]>
}

/**
 * Turns snapshots into tables. Pure: the result depends on snapshot, settings and time alone.
 *
 * It keeps, by reference, what it made of each object. So what did not change costs a look-up, comes
 * out as the same object as last time, and a delta need not look into it. A new compiler makes equal
 * tables from scratch.
 */
export class Compiler {
  readonly #settings: CompileSettings
  readonly #certificates: Certificates
  readonly #clientAuthorities: ClientAuthorities
  readonly #clients: ClientCertificateBinder
  readonly #options = new Memo<Options>()
  readonly #everywhere: EverywhereCompiler
  readonly #parsed = new Memo<ParsedIngress>()
  readonly #services = new Memo<ServiceValues>()
  readonly #rules = new Memo<CompiledRule>()
  readonly #canaries = new Memo<Rule>()
  readonly #defaultRules = new Memo<Rule>()
  readonly #serverRules = new Memo<Rule | undefined>()
  readonly #hosts = new Memo<Host>()
  readonly #extraHosts = new Memo<Host>()
  readonly #backends: Backends
  #kept: Kept | undefined

  constructor(settings: CompileSettings, { readCertificate, readAuthorities }: CertificateReaders) {
    this.#settings = settings
    this.#everywhere = new EverywhereCompiler(settings)
    this.#backends = new Backends(settings)
    this.#certificates = new Certificates(readCertificate)
    this.#clientAuthorities = new ClientAuthorities(readAuthorities)
    this.#clients = new ClientCertificateBinder(this.#clientAuthorities)
  }

  /** Never throws over what users wrote: what cannot be served is reported, and the rest is served. */
  compile(snapshot: Snapshot, nowMs: number): Compiled {
    const kept = this.#kept
    return kept !== undefined && isKept(kept, snapshot, nowMs)
      ? this.#compileEndpoints(kept, snapshot)
      : this.#compileAll(snapshot, nowMs)
  }

  /** Endpoints come and go all the time; what names them costs nothing then. */
  #compileEndpoints(kept: Kept, snapshot: Snapshot): Compiled {
    const { targets, diagnostics, compiled } = kept
    const found = new Diagnostics()
    const backends = this.#backends.compile(targets, snapshot, found)
    const ofEndpoints = found.list
    const next = {
      ...compiled,
      table: { ...compiled.table, backends },
      diagnostics: sameItems(ofEndpoints, kept.ofEndpoints)
        ? compiled.diagnostics
        : sortFindings([...diagnostics, ...ofEndpoints]),
    }
    this.#kept = { ...kept, snapshot, compiled: next, ofEndpoints }
    return next
  }

  #compileAll(snapshot: Snapshot, nowMs: number): Compiled {
    // Should something throw, nothing half made is kept.
    this.#kept = undefined
    const moment = new Moment(nowMs)
    const diagnostics = new Diagnostics()
    const unsorted = new Map<Key, Target>()
    const certificates = new Map<Key, Certificate>()
    const authorities = new Map<Key, Authorities>()
    const options = this.#readOptions(snapshot)
    this.#certificates.use(snapshot)
    this.#clientAuthorities.use(snapshot)
    diagnostics.include(options.diagnostics)
    const everywhere = this.#everywhere.compile(snapshot, options, diagnostics)
    const lastTarget = findDefaultBackend(snapshot, this.#settings, diagnostics)
    if (lastTarget !== undefined) unsorted.set(lastTarget.key, lastTarget)
    const made = { targets: unsorted, certificates, authorities, sides: new Map() }
    const shared = { everywhere: everywhere.policies, lastTarget }
    const round: Round = { snapshot, options, diagnostics, ...made, ...shared }

    const parsed = this.#parseIngresses(round)
    const hosts = this.#compileHosts(parsed, round)
    for (const owner of parsed) reportTlsSecrets(owner, this.#certificates, moment, diagnostics)
    const preset = findDefaultCertificate(this.#certificates, this.#settings, moment, diagnostics)
    if (preset !== undefined) certificates.set(preset.key, preset)
    const streams = this.#compileStreams(round)
    const targets = sortedByKey(unsorted)
    const found = new Diagnostics()
    const backends = this.#backends.compile(targets, snapshot, found)
    const [others, ofEndpoints] = [diagnostics.list, found.list]
    const proxyProtocol = options.values['use-proxy-protocol']
    const listeners = new Map([
      ...compileListeners(this.#settings, proxyProtocol, preset?.key),
      ...streams,
    ])
    this.#sweep()
    const compiled = {
      table: {
        listeners,
        hosts,
        backends,
        certificates: sortedByKey(certificates),
        authorities: sortedByKey(authorities),
        options: everywhere.global,
      },
      diagnostics: sortFindings([...others, ...ofEndpoints]),
      references: collectReferences(
        parsed,
        targets.values(),
        everywhere.references,
        this.#settings,
      ),
      served: parsed.filter(hasRoutes).map(({ ingress }) => ingress),
      tracing: options.tracing,
    }
    const { sides } = round
    const times = { atMs: nowMs, untilMs: moment.untilMs }
    this.#kept = { snapshot, ...times, compiled, targets, sides, diagnostics: others, ofEndpoints }
    return compiled
  }

  #readOptions(snapshot: Snapshot): Options {
    const name = this.#settings.configMap
    const configMap = name && snapshot.get('ConfigMap', name.namespace, name.name)
    return this.#options.get('', [configMap], () => compileOptions(configMap, this.#settings))
  }

  /** Our Ingresses, oldest first. */
  #parseIngresses({ snapshot, options, diagnostics }: Round): ParsedIngress[] {
    const ours: Ingress[] = []
    for (const ingress of snapshot.all('Ingress')) {
      if (!this.#isWatched(ingress.metadata.namespace, snapshot)) continue
      const ownership = ownershipOf(ingress, snapshot, this.#settings)
      if (ownership === 'ours') ours.push(ingress)
      if (ownership !== 'missing') continue
      const message = `IngressClass ${quote(ingress.className ?? '')} does not exist`
      reportOn(ingress, diagnostics)('class-missing', 'spec.ingressClassName', message)
    }
    return ours.toSorted(byAge).map((ingress) => {
      const parsed = this.#parsed.get(ingress, [options], () =>
        parseIngress(ingress, options, this.#settings),
      )
      diagnostics.include(parsed.diagnostics)
      return parsed
    })
  }

  #isWatched(namespace: string, snapshot: Snapshot): boolean {
    const { namespaces, namespaceSelector } = this.#settings
    if (namespaces.length > 0 && !namespaces.includes(namespace)) return false
    if (namespaceSelector.length === 0) return true
    const labels = snapshot.get('Namespace', '', namespace)?.metadata.labels
    return labels !== undefined && matchesLabels(namespaceSelector, labels)
  }

  #compileHosts(parsed: readonly ParsedIngress[], round: Round): ReadonlyMap<Key, Host> {
    const { diagnostics, lastTarget } = round
    const gathered = gatherHosts(parsed, diagnostics)
    if (lastTarget !== undefined && !gathered.has('')) gathered.set('', noParts)
    const hosts = new Map<Key, Host>()
    for (const pattern of [...gathered.keys()].toSorted(compareText)) {
      const parts = gathered.get(pattern) ?? noParts
      const host = this.#compileHost(pattern, parts, lastTarget, round)
      hosts.set(host.key, host)
    }
    this.#addHosts(parsed, hosts, round)
    return hosts
  }

  #compileHost(
    pattern: string,
    { routes, owners }: HostParts,
    fallback: Target | undefined,
    round: Round,
  ): Host {
    const { diagnostics, certificates, authorities, options } = round
    const tls = bindTls(pattern, owners, this.#certificates, diagnostics)
    const { certificate, named } = tls
    if (certificate !== undefined) certificates.set(certificate.key, certificate)
    const clients = this.#clients.bind(pattern, { owners, tls: named }, diagnostics)
    const demanded = clients?.authorities
    if (demanded !== undefined) authorities.set(demanded.key, demanded)
    const regex = routes.some(({ parsed }) => makesRegex(parsed))
    const server = serverSnippetOf(pattern, owners, diagnostics)
    const mode = { tls: named, regex, clients: clients?.config, server }
    const rules = routes.map((owned) => this.#compileRule(owned, mode, round))
    const last = this.#lastRule(pattern, fallback, mode, round)
    const handshake = handshakeOf(pattern, owners, diagnostics)
    const among = { owners, rules, options, enabled: this.#settings.sslPassthrough, diagnostics }
    const passthrough = passthroughOf(pattern, among)
    const spoken = JSON.stringify([handshake, passthrough])
    const inputs = [named, certificate?.key, clients, spoken, last, ...rules]
    const demands = { clients, handshake, passthrough }
    return this.#hosts.get(pattern, inputs, () =>
      assembleHost(pattern, { ...tls, ...demands }, inOrder(rules, routes), last),
    )
  }

  /** TCP ports; their Services become targets. */
  #compileStreams(round: Round): (readonly [Key, Listener])[] {
    const { snapshot, options, diagnostics, targets } = round
    const serviceValues = (service: Service): ServiceValues => this.#serviceValues(service, round)
    const context = { snapshot, settings: this.#settings, options, diagnostics, serviceValues }
    return compileTcpServices(context).map(({ listener, target }) => {
      targets.set(target.key, target)
      return [listener.key, listener] as const
    })
  }

  /** Hosts that no rule names, by annotations. */
  #addHosts(
    parsed: readonly ParsedIngress[],
    hosts: Map<Key, Host>,
    { options, everywhere, certificates, diagnostics }: Round,
  ): void {
    for (const wanted of extraHosts(parsed, hosts, diagnostics)) {
      const { pattern, like, redirect } = wanted
      const certificate =
        like.certificate === undefined ? undefined : certificates.get(like.certificate)
      const inputs = [like, wanted.parsed, redirect, certificate, options, everywhere]
      const host = this.#extraHosts.get(pattern, inputs, () =>
        makeHost(wanted, certificate, { options, everywhere }),
      )
      hosts.set(host.key, host)
    }
  }

  #compileRule(owned: OwnedRoute, mode: HostMode, round: Round): Rule {
    const primary = this.#compileRoute(owned, mode, round)
    const { canaries } = owned
    if (canaries === undefined) return primary.rule
    const compiled = canaries.map((canary) => this.#compileRoute(canary, mode, round, owned.parsed))
    const inputs = [...compiled, ...canaries.map(({ parsed }) => parsed.canary)]
    return this.#canaries.get(primary, inputs, () =>
      withCanaries(
        primary,
        compiled.map(({ rule }, i) => ({
          backend: rule.backends[0],
          use: canaries[i]?.parsed.canary,
        })),
      ),
    )
  }

  #compileRoute(
    { parsed, route }: OwnedRoute,
    { tls, regex, clients, server }: HostMode,
    round: Round,
    primary?: ParsedIngress,
  ): CompiledRule {
    const { options, snapshot, diagnostics, targets, lastTarget } = round
    const { backend } = route
    const { namespace } = parsed.ingress.metadata
    const own =
      'service' in backend ? snapshot.get('Service', namespace, backend.service.name) : undefined
    const ownValues = this.#serviceValues(own, round)
    const sides = { parsed, route, own, ownSays: ownValues.activeService }
    const service = activeSide(sides, round)
    const serviceValues = service === own ? ownValues : this.#serviceValues(service, round)
    const objects = findObjects(parsed.references, snapshot)
    const fallbackName = parsed.routing['default-backend']
    const fallback =
      fallbackName === '' ? undefined : snapshot.get('Service', namespace, fallbackName)
    const named = [fallback, lastTarget?.service, server?.program]
    const secret = primary && findObject(primary.references, 'proxy-ssl-secret', snapshot)
    const inputs = [service, tls, regex, clients, ...named, primary, secret, ...objects]
    const compiled = this.#rules.get(route, inputs, () => {
      const services = { service, serviceValues, fallback, lastTarget }
      const given = { parsed, options, settings: this.#settings, objects, ...services }
      const from = primary && { parsed: primary, secret }
      return compileRule(route, { ...given, tls, regex, clients, server, primary: from })
    })
    diagnostics.include(compiled.diagnostics)
    for (const target of [compiled.target, compiled.fallback, ...compiled.externals]) {
      if (target !== undefined) targets.set(target.key, target)
    }
    return compiled
  }

  /** What takes the requests of a host that its rules leave. */
  #lastRule(
    host: string,
    fallback: Target | undefined,
    { clients, server }: HostMode,
    round: Round,
  ): Rule | undefined {
    const { options, everywhere } = round
    const rule = fallback && this.#defaultRule(host, fallback, clients, round)
    if (server === undefined) return rule
    const inputs = [server.program, server.parsed, options, everywhere, rule, clients]
    return this.#serverRules.get(host, inputs, () =>
      serverRule(host, server, { options, clients, everywhere }, rule),
    )
  }

  #defaultRule(
    host: string,
    target: Target,
    clients: ClientCertificatesConfig | undefined,
    round: Round,
  ): Rule {
    const { options, everywhere } = round
    const serviceValues = this.#serviceValues(target.service, round)
    return this.#defaultRules.get(host, [target.service, options, everywhere, clients], () =>
      defaultBackendRule(host, target, { options, serviceValues, clients, everywhere }),
    )
  }

  #serviceValues(service: Service | undefined, { diagnostics }: Round): ServiceValues {
    if (service === undefined) return noServiceValues
    const values = this.#services.get(service, [], () => readService(service, this.#settings))
    diagnostics.include(values.diagnostics)
    return values
  }

  #sweep(): void {
    this.#options.sweep()
    this.#parsed.sweep()
    this.#services.sweep()
    this.#rules.sweep()
    this.#canaries.sweep()
    this.#defaultRules.sweep()
    this.#serverRules.sweep()
    this.#hosts.sweep()
    this.#extraHosts.sweep()
    this.#certificates.sweep()
    this.#clients.sweep()
  }
}

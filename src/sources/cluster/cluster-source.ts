import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { AnyObject, Kind } from '#src/snapshot/objects.ts'
import type { Source, SourceOwner, SourceStatus, Wanted } from '../source.ts'
import { clusterFindings, silentKinds } from './cluster-findings.ts'
import { clusterMetrics } from './cluster-metrics.ts'
import type { KindGauges } from './cluster-metrics.ts'
import { Counters } from './counters.ts'
import { NamedObjects } from './named-objects.ts'
import { Projector } from './projector.ts'
import { Reflector } from './reflector.ts'
import { targetsOf } from './scope.ts'
import type { ClusterScope } from './scope.ts'
import { systemTiming } from './timing.ts'
import type { Timing } from './timing.ts'

export interface ClusterSourceOptions {
  readonly client: ApiClient
  readonly scope: ClusterScope
  readonly owner: SourceOwner
  readonly log: Logger
  readonly timing?: Timing
  /** What Secrets may hold together, and ConfigMaps as well; the preset of `NamedObjects` otherwise. */
  readonly namedBytesMax?: number
}

/** Without them there is nothing to serve; of each some must be read before the first view is there. */
const essentialKinds: readonly Kind[] = ['Ingress', 'Service', 'EndpointSlice']
/** While the first view does not come, why is said this often. */
const waitingLineMs = 10_000

/**
 * Objects from a cluster: one reflector for each kind (and namespace), and what others refer to by name.
 * Whatever fails, what was read before stays in force, and it is tried again for ever.
 */
export class ClusterSource implements Source {
  readonly #options: ClusterSourceOptions
  readonly #timing: Timing
  readonly #counters = new Counters()
  readonly #projector = new Projector(() => (this.#findingsStale = true))
  readonly #reflectors: readonly Reflector<AnyObject>[]
  readonly #named: readonly NamedObjects[]
  /** Those that were refused and have read nothing since. */
  readonly #refused = new Set<Reflector<AnyObject>>()
  readonly #first = Promise.withResolvers<void>()
  readonly #failing = Promise.withResolvers<void>()
  #findings: readonly Diagnostic[] = []
  #findingsText = '[]'
  #findingsStale = false
  #synced = false
  #stopped = false
  #silent: ReadonlySet<string> = new Set()
  #outageSince: number | undefined
  #cancelWaiting: (() => void) | undefined
  /** Resolvers of those who wait for what is wanted. */
  #waiting: (() => void)[] = []

  constructor(options: ClusterSourceOptions) {
    const { client, scope, timing = systemTiming } = options
    this.#options = options
    this.#timing = timing
    this.#reflectors = targetsOf(scope).map(
      (target) =>
        new Reflector<AnyObject>({
          client,
          target,
          timing,
          counters: this.#counters.of(target.kind),
          project: (object) => this.#projector.project(target.kind, object),
          onChange: ({ put, deleted }) => {
            this.#changed(target.kind, put, deleted)
          },
          onState: () => {
            this.#onState()
          },
        }),
    )
    this.#named = (['Secret', 'ConfigMap'] as const).map((kind) => this.#namedObjects(kind))
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#findings
  }

  get status(): SourceStatus {
    const objects = this.#reflectors.reduce((sum, { view }) => sum + view.size, 0)
    const { server } = this.#options.client
    return { kind: 'kubernetes', description: server, synced: this.#synced, objects }
  }

  get unreadable(): ReadonlySet<Kind> {
    return new Set([...this.#refused].map(({ target }) => target.kind))
  }

  get failing(): Promise<void> {
    return this.#failing.promise
  }

  async start(): Promise<void> {
    for (const reflector of this.#reflectors) reflector.start()
    this.#sayWhatIsAwaited()
    await this.#first.promise
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelWaiting?.()
    await Promise.all([...this.#reflectors, ...this.#named].map((part) => part.stop()))
    await this.#options.client.close()
  }

  async want({ secrets, configMaps }: Wanted): Promise<void> {
    for (const named of this.#named) named.want(named.kind === 'Secret' ? secrets : configMaps)
    this.#onState()
    if (this.#wantedIsThere()) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  metrics(): string {
    const gauges = new Map<string, KindGauges>()
    for (const { target, heardAt } of this.#reflectors) {
      const ageSeconds = Math.max(this.#ageOf(heardAt), gauges.get(target.kind)?.ageSeconds ?? 0)
      gauges.set(target.kind, { ageSeconds })
    }
    for (const { kind, wanted, leftOut, bytes, scopes } of this.#named) {
      const ages = scopes
        .filter(({ heardAt }) => heardAt !== undefined)
        .map(({ heardAt }) => this.#ageOf(heardAt))
      const ageSeconds = ages.length === 0 ? undefined : Math.max(...ages)
      gauges.set(kind, { ageSeconds, wanted, leftOut, bytes })
    }
    return clusterMetrics(this.#counters, gauges)
  }

  #namedObjects(kind: 'Secret' | 'ConfigMap'): NamedObjects {
    const { client, scope, namedBytesMax } = this.#options
    return new NamedObjects({
      ...(namedBytesMax !== undefined && { bytesMax: namedBytesMax }),
      client,
      kind,
      namespaces: scope.namespaces,
      timing: this.#timing,
      counters: this.#counters.of(kind),
      project: (_kind, object) => this.#projector.project(kind, object),
      onChange: (put, deleted) => {
        this.#changed(kind, put, deleted)
      },
      onState: () => {
        this.#onState()
      },
    })
  }

  #ageOf(heardAt: number | undefined): number {
    return heardAt === undefined ? Infinity : (this.#timing.now() - heardAt) / 1000
  }

  #changed(kind: Kind, put: readonly AnyObject[], deletedKeys: readonly string[]): void {
    const deleted = deletedKeys.map((key) => {
      this.#projector.gone(kind, key)
      const slash = key.indexOf('/')
      return { kind, namespace: key.slice(0, slash), name: key.slice(slash + 1) }
    })
    if (this.#stopped) return
    if (this.#findingsStale) this.#lookForFindings()
    this.#options.owner.onChange({ put, deleted })
  }

  #onState(): void {
    if (this.#stopped) return
    this.#noteRights()
    if (this.#lookForFindings()) {
      this.#noteOutage()
      this.#options.owner.onChange({ put: [], deleted: [] })
    }
    if (this.#reflectors.some(({ trouble }) => trouble?.refused === false)) this.#failing.resolve()
    if (!this.#synced && this.#isFirstViewThere()) {
      this.#synced = true
      this.#cancelWaiting?.()
      this.#first.resolve()
    }
    if (this.#wantedIsThere()) for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** A server that is away takes no right back and gives none. */
  #noteRights(): void {
    for (const reflector of this.#reflectors) {
      if (reflector.synced) this.#refused.delete(reflector)
      else if (reflector.trouble?.refused === true) this.#refused.add(reflector)
    }
  }

  /** Of every kind some is read, and the rest is known not to be readable. */
  #isFirstViewThere(): boolean {
    const answered = this.#reflectors.every(
      ({ synced, trouble }) => synced || trouble?.refused === true,
    )
    const read = new Set(
      this.#reflectors.filter(({ synced }) => synced).map(({ target }) => target.kind),
    )
    return answered && essentialKinds.every((kind) => read.has(kind))
  }

  #wantedIsThere(): boolean {
    return this.#named.every(({ settled }) => settled)
  }

  /** True when the findings are others than before. */
  #lookForFindings(): boolean {
    this.#findingsStale = false
    const { client, scope } = this.#options
    const byName = scope.namespaces.length > 0 && this.unreadable.has('IngressClass')
    const scopes = this.#named.flatMap((named) => named.scopes)
    const reflectors = [...this.#reflectors, ...scopes.flatMap((part) => part.reflectors)]
    this.#silent = silentKinds(this.#silent, reflectors)
    const findings = clusterFindings({
      server: client.server,
      reflectors,
      silent: this.#silent,
      named: this.#named,
      projector: this.#projector,
      classByName: byName ? scope.ingressClass : '',
    })
    const text = JSON.stringify(findings)
    if (text === this.#findingsText) return false
    this.#findings = findings
    this.#findingsText = text
    return true
  }

  /** Says once when the API server is gone, and once when it is back. */
  #noteOutage(): void {
    const out = this.#findings.some(({ code }) => code === 'cluster-unreachable')
    const { log, client } = this.#options
    if (out && this.#outageSince === undefined) {
      this.#outageSince = this.#timing.now()
      const what = this.#synced ? 'the last objects stay in force' : 'nothing was read yet'
      log.warn(`the API server does not answer as it should; ${what}`, {
        server: client.server,
        error: this.#anyTrouble(),
      })
    } else if (!out && this.#outageSince !== undefined) {
      const seconds = Math.round((this.#timing.now() - this.#outageSince) / 1000)
      this.#outageSince = undefined
      log.info('the API server answers again', { server: client.server, seconds })
    }
  }

  #anyTrouble(): string {
    const troubled = this.#reflectors.find(({ trouble }) => trouble !== undefined)
    return troubled?.trouble === undefined ? '' : errorText(troubled.trouble.error)
  }

  #sayWhatIsAwaited(): void {
    this.#cancelWaiting = this.#timing.schedule(() => {
      const missing = this.#reflectors.filter(({ synced }) => !synced)
      this.#options.log.warn('not ready: the first view of the cluster is not there', {
        server: this.#options.client.server,
        missing: [...new Set(missing.map(({ target }) => target.kind))].join(', '),
        error: this.#anyTrouble(),
      })
      this.#sayWhatIsAwaited()
    }, waitingLineMs)
  }
}

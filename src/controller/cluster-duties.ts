import { ClusterLease } from '#src/election/cluster-lease.ts'
import { LeaderElection, defaultTiming } from '#src/election/election.ts'
import type { ElectionTiming } from '#src/election/election.ts'
import { Events } from '#src/feedback/events.ts'
import { IngressStatus } from '#src/feedback/ingress-status.ts'
import { PublishedAddresses } from '#src/feedback/published-addresses.ts'
import { Replicas } from '#src/feedback/replicas.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { Service } from '#src/snapshot/objects.ts'
import { DutyMetrics } from './duty-metrics.ts'
import { SettledViews } from './duties.ts'
import type { CompiledView, Duties, DutyContext } from './duties.ts'
import type { DutySettings } from './settings.ts'

export interface ClusterDutiesOptions extends DutyContext {
  readonly client: ApiClient
  readonly settings: DutySettings
  readonly timing?: ElectionTiming
  readonly log: Logger
  /** This replica leads, or does so no more. */
  readonly onLeading: (leading: boolean) => void
}

/** How often addresses are looked up and every status is compared, as in ingress-nginx. */
const comparePeriodMs = 60_000
/** So long the last replica clears what it has written. */
const clearMsMax = 3000

const schedule = (callback: () => void, delayMs: number): (() => void) => {
  const timer = setTimeout(callback, delayMs)
  return () => {
    clearTimeout(timer)
  }
}

/** What a replica does for the cluster: it takes part in the election, and writes while it leads. */
export class ClusterDuties implements Duties {
  readonly #options: ClusterDutiesOptions
  readonly #election: LeaderElection
  readonly #status: IngressStatus | undefined
  readonly #events: Events
  readonly #addresses: PublishedAddresses
  readonly #replicas: Replicas | undefined
  readonly #views = new SettledViews()
  #publishService: Service | undefined
  #periodic: NodeJS.Timeout | undefined

  constructor(options: ClusterDutiesOptions) {
    const { client, settings, log, publishedOf, registry } = options
    this.#options = options
    const metrics = new DutyMetrics(registry, () => this.#election.leading)
    const surroundings = {
      client,
      log,
      now: () => performance.now(),
      wallClock: Date.now,
      random: Math.random,
      schedule,
    }
    const { pod, election, identity } = settings
    this.#replicas = pod === undefined ? undefined : new Replicas(client, pod)
    this.#addresses = new PublishedAddresses({
      ...settings.publish,
      client,
      log,
      replicas: this.#replicas,
    })
    this.#status = settings.updateStatus
      ? new IngressStatus({
          ...surroundings,
          fieldManager: settings.controllerClass,
          publishedOf,
          count: metrics.countStatus,
        })
      : undefined
    this.#events = new Events({
      ...surroundings,
      reporter: {
        controller: settings.controllerClass,
        instance: identity,
        namespaces: settings.namespaces,
      },
      count: metrics.countEvent,
    })
    const namespace = election.namespace || client.namespace
    this.#election = new LeaderElection({
      ...surroundings,
      leases: new ClusterLease(client, { namespace, name: election.id }),
      identity,
      timing: options.timing ?? defaultTiming,
      onChange: (leading) => {
        this.#lead(leading)
      },
    })
  }

  /** Whether this replica leads now. */
  get leading(): boolean {
    return this.#election.leading
  }

  async start(): Promise<void> {
    this.#election.start()
    this.#periodic = setInterval(() => {
      void this.#publish()
    }, comparePeriodMs)
    await Promise.resolve()
  }

  compiled(view: CompiledView): void {
    this.#act(this.#views.compiled(view))
  }

  settled(version: number): void {
    this.#act(this.#views.settled(version))
  }

  /** Gives the Lease back; the last replica takes its addresses from the Ingresses before. */
  async stop(): Promise<void> {
    clearInterval(this.#periodic)
    if (this.#status !== undefined && this.#election.leading && (await this.#isLast())) {
      await this.#publish()
      await this.#status.clearAll(Math.min(clearMsMax, this.#election.remainingMs))
    }
    await this.#election.stop()
  }

  #act(view: CompiledView | undefined): void {
    if (view === undefined) return
    const { snapshot, served, findings } = view
    const { publishedOf, settings } = this.#options
    this.#status?.update({
      served,
      find: (namespace, name) => snapshot.get('Ingress', namespace, name),
      all: () => snapshot.all('Ingress'),
    })
    this.#events.update({
      served,
      findings,
      find: (kind, namespace, name) => snapshot.get(kind, namespace, name),
      publishedOf,
    })
    const { service } = settings.publish
    const now = service && snapshot.get('Service', service.namespace, service.name)
    if (now === this.#publishService) return
    this.#publishService = now
    void this.#publish()
  }

  #lead(leading: boolean): void {
    this.#status?.lead(leading)
    void this.#events.lead(leading)
    this.#options.onLeading(leading)
    void this.#publish()
  }

  async #publish(): Promise<void> {
    if (this.#status === undefined || !this.#election.leading) return
    this.#status.publish(await this.#addresses.find())
  }

  /** Where that cannot be found out, another replica may be there. */
  async #isLast(): Promise<boolean> {
    if (this.#replicas === undefined) return false
    try {
      return !(await this.#replicas.others())
    } catch (error) {
      const problem = errorText(error)
      this.#options.log.warn('whether this is the last replica is not known', { problem })
      return false
    }
  }
}

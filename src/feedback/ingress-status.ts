import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { ApiError, isForbidden } from '#src/kubernetes/api-error.ts'
import { sameItems } from '#src/snapshot/equal.ts'
import type { Ingress } from '#src/snapshot/objects.ts'
import { statusEntry } from './addresses.ts'
import { PacedQueue } from './paced-queue.ts'

export interface IngressStatusOptions {
  readonly client: ApiClient
  /** Name of the field manager: that of the controller, so that another one's writing is not ours. */
  readonly fieldManager: string
  /** What the status of an Ingress shows now. */
  readonly publishedOf: (namespace: string, name: string) => readonly string[]
  readonly now: () => number
  readonly random: () => number
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  readonly log: Logger
  readonly count: (result: StatusResult) => void
}

export type StatusResult = 'written' | 'cleared' | 'refused' | 'failed'

/** What the writer works from: a table that every worker runs. */
export interface StatusView {
  /** Ingresses that have routes in the table. */
  readonly served: readonly Ingress[]
  /** The object of this name now, whoever's it is. */
  readonly find: (namespace: string, name: string) => Ingress | undefined
  readonly all: () => Iterable<Ingress>
}

interface Job {
  readonly ingress: Ingress
  /** `check`: cleared if the addresses in it are of our writing. */
  readonly what: 'publish' | 'clear' | 'check'
}

/** Writes a second: 10,000 Ingresses take some minutes and no API server is flooded. */
const perSecond = 50
const burst = 100
const parallelMax = 4
/** At the end time is short. */
const lastParallelMax = 16
const lengthMax = 200_000
const managerLengthMax = 128
/** Well within the time by which a leader stops before another begins. */
const timeoutMs = 4000
const answerBytesMax = 4 * 1024 * 1024
/** So long a namespace is left alone in which RBAC lets us write nothing; a later grant is picked up then. */
const forbiddenMs = 300_000
/** Namespaces that are left alone, and lines about them while this replica leads. */
const forbiddenMax = 1000
/** Answers about this object alone: another one may fare better. */
const ownRefusals = new Set([400, 404, 409, 413, 422])

/**
 * Keeps status.loadBalancer of the Ingresses that are served at the addresses of this controller, and
 * of those that it serves no more empty. Every replica keeps count of what is served; only the leader
 * writes, and only what differs.
 */
export class IngressStatus {
  readonly #options: IngressStatusOptions
  readonly #fieldManager: string
  readonly #queue: PacedQueue<Job>
  #view: StatusView | undefined
  #served = new Map<string, Ingress>()
  /** Was served, is not, and may still show our addresses. */
  readonly #left = new Map<string, Ingress>()
  #addresses: readonly string[] | undefined
  #leading = false
  /** Left-overs of an earlier life were looked for. */
  #searched = false
  /** Until when namespaces are left alone. */
  readonly #forbidden = new Map<string, number>()

  constructor(options: IngressStatusOptions) {
    const { now, random, schedule, log, count } = options
    this.#options = options
    this.#fieldManager = options.fieldManager.slice(0, managerLengthMax)
    this.#queue = new PacedQueue<Job>({
      perSecond,
      burst,
      parallelMax,
      lengthMax,
      now,
      random,
      schedule,
      work: async (job) => {
        await this.#work(job)
      },
      onPause: (error, delayMs) => {
        count('failed')
        log.warn('status of an Ingress not written', {
          problem: errorText(error),
          pauseMs: delayMs,
        })
      },
    })
  }

  /** Writes that wait. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Every worker runs another table. */
  update(view: StatusView): void {
    const before = this.#served
    const same = this.#view !== undefined && sameItems(this.#view.served, view.served)
    this.#view = view
    if (same) {
      if (this.#left.size > 0) this.compare(before)
      return
    }
    this.#served = new Map(view.served.map((ingress) => [keyOf(ingress), ingress]))
    for (const [key, ingress] of before) if (!this.#served.has(key)) this.#left.set(key, ingress)
    for (const key of this.#left.keys()) if (this.#served.has(key)) this.#left.delete(key)
    this.compare(before)
  }

  /** Where clients reach us; undefined leaves everything as it is. */
  publish(addresses: readonly string[] | undefined): void {
    if (addresses === undefined) return
    this.#addresses = addresses
    this.compare()
  }

  lead(leading: boolean): void {
    this.#leading = leading
    this.#searched = false
    this.#forbidden.clear()
    if (leading) this.#queue.start()
    else this.#queue.stop()
    this.compare()
  }

  /** Plans what differs; of what is served only what is not the same in `before`. */
  compare(before?: ReadonlyMap<string, Ingress>): void {
    if (!this.#leading || this.#addresses === undefined || this.#view === undefined) return
    for (const [key, ingress] of this.#served) {
      if (before?.get(key) === ingress || this.#shows(ingress, this.#addresses)) continue
      this.#queue.add(key, { ingress, what: 'publish' })
    }
    this.#compareLeft(this.#view, this.#addresses, before === undefined)
    if (!this.#searched) this.#search(this.#view)
  }

  /**
   * Empties the status of everything that is served; for the end of the last replica. Gives up at
   * the first failure of the API server, and after `totalMs`.
   */
  async clearAll(totalMs: number): Promise<void> {
    if (!this.#leading) return
    this.#queue.stop()
    const addresses = this.#addresses ?? []
    const shown = [...this.#served.values()].filter((ingress) => this.#shows(ingress, addresses))
    const deadline = this.#options.now() + totalMs
    const clearNext = async (): Promise<void> => {
      for (let next = shown.pop(); next !== undefined; next = shown.pop()) {
        if (this.#options.now() >= deadline) return
        const ingress = next
        if (this.#isForbidden(ingress.metadata.namespace)) continue
        await this.#refusable(ingress, async () => {
          await this.#write(ingress, [])
        })
      }
    }
    try {
      await Promise.all(Array.from({ length: lastParallelMax }, clearNext))
    } catch (error) {
      shown.length = 0
      this.#options.log.warn('status of Ingresses not cleared', { problem: errorText(error) })
    }
  }

  /** A write may still be under way, so that the first look is not the last. */
  #compareLeft(view: StatusView, addresses: readonly string[], last: boolean): void {
    for (const [key, ingress] of this.#left) {
      const now = view.find(ingress.metadata.namespace, ingress.metadata.name)
      if (now?.metadata.uid !== ingress.metadata.uid) this.#left.delete(key)
      else if (this.#shows(now, addresses)) this.#queue.add(key, { ingress: now, what: 'clear' })
      else if (last) this.#left.delete(key)
    }
  }

  /** Ingresses that were served while no replica was there to see them leave. */
  #search({ all }: StatusView): void {
    this.#searched = true
    const addresses = this.#addresses ?? []
    if (addresses.length === 0) return
    for (const ingress of all()) {
      const key = keyOf(ingress)
      if (this.#served.has(key) || this.#left.has(key) || !this.#shows(ingress, addresses)) continue
      this.#queue.add(key, { ingress, what: 'check' })
    }
  }

  #shows({ metadata }: Ingress, addresses: readonly string[]): boolean {
    const shown = this.#options.publishedOf(metadata.namespace, metadata.name)
    if (shown.length !== addresses.length) return false
    return shown.toSorted().every((address, i) => address === addresses[i])
  }

  async #work({ ingress, what }: Job): Promise<void> {
    const key = keyOf(ingress)
    // What was planned a while ago may not hold any more.
    const holds = (): boolean => this.#leading && this.#served.has(key) === (what === 'publish')
    if (this.#isForbidden(ingress.metadata.namespace)) return
    await this.#refusable(ingress, async () => {
      if (what === 'check' && !(await this.#isOurs(ingress))) return
      if (holds()) await this.#write(ingress, what === 'publish' ? (this.#addresses ?? []) : [])
      this.#left.delete(key)
    })
  }

  /** A refusal that concerns this Ingress alone is the end of the matter; other failures reject. */
  async #refusable(ingress: Ingress, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isForbidden(error)) {
        this.#forbid(ingress.metadata.namespace, errorText(error))
        return
      }
      if (!(error instanceof ApiError) || !ownRefusals.has(error.status)) throw error
      this.#options.count('refused')
      // It is gone, or another one by now: the next table knows.
      if (error.status === 404 || error.status === 409) return
      const { namespace, name } = ingress.metadata
      const object = `Ingress ${namespace}/${name}`
      this.#options.log.warn('status refused', { object, problem: error.message })
    }
  }

  #isForbidden(namespace: string): boolean {
    const untilMs = this.#forbidden.get(namespace)
    return untilMs !== undefined && this.#options.now() < untilMs
  }

  /** A right that is missing is missing for every Ingress of a namespace: it is said once. */
  #forbid(namespace: string, problem: string): void {
    const { count, log, now } = this.#options
    count('refused')
    const isKnown = this.#forbidden.has(namespace)
    if (!isKnown && this.#forbidden.size >= forbiddenMax) return
    this.#forbidden.set(namespace, now() + forbiddenMs)
    if (!isKnown) log.warn('status of Ingresses cannot be written', { namespace, problem })
  }

  async #write(ingress: Ingress, addresses: readonly string[]): Promise<void> {
    const { client, count } = this.#options
    const { uid } = ingress.metadata
    await client.request({
      method: 'PATCH',
      path: `${pathOf(ingress)}/status`,
      query: { fieldManager: this.#fieldManager },
      contentType: 'application/merge-patch+json',
      // With the UID the patch is for this object, and for none that came in its place.
      body: {
        ...(uid === '' ? {} : { metadata: { uid } }),
        status: {
          loadBalancer: { ingress: addresses.length === 0 ? null : addresses.map(statusEntry) },
        },
      },
      timeoutMs,
      bytesMax: answerBytesMax,
    })
    count(addresses.length === 0 ? 'cleared' : 'written')
    this.#forbidden.delete(ingress.metadata.namespace)
  }

  /** Whether the load balancer in the status was written under our name. */
  async #isOurs(ingress: Ingress): Promise<boolean> {
    const path = pathOf(ingress)
    const request = { method: 'GET', path, timeoutMs, bytesMax: answerBytesMax } as const
    const { metadata } = (await this.#options.client.request(request)) as Managed
    return (metadata?.managedFields ?? []).some(
      ({ manager, subresource, fieldsV1 }) =>
        manager === this.#fieldManager &&
        subresource === 'status' &&
        fieldsV1?.['f:status']?.['f:loadBalancer'] !== undefined,
    )
  }
}

/** What is read of an object's bookkeeping. */
interface Managed {
  readonly metadata?: {
    readonly uid?: string
    readonly managedFields?: readonly {
      readonly manager?: string
      readonly subresource?: string
      readonly fieldsV1?: { readonly 'f:status'?: { readonly 'f:loadBalancer'?: unknown } }
    }[]
  }
}

function keyOf({ metadata }: Ingress): string {
  return `${metadata.namespace}/${metadata.name}`
}

function pathOf({ metadata }: Ingress): string {
  const { namespace, name } = metadata
  return `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`
}

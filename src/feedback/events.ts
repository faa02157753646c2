import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { ApiError, isNotFound } from '#src/kubernetes/api-error.ts'
import { sameItems } from '#src/snapshot/equal.ts'
import { kinds } from '#src/snapshot/objects.ts'
import type { AnyObject, Ingress, Kind } from '#src/snapshot/objects.ts'
import { accepted, verdictOf } from './event-reasons.ts'
import type { Verdict } from './event-reasons.ts'
import { earlierEvents, eventBody, eventKey, eventsPath, seriesPatch } from './event-objects.ts'
import type { Reporter } from './event-objects.ts'
import { PacedQueue } from './paced-queue.ts'

export interface EventsOptions {
  readonly client: ApiClient
  readonly reporter: Reporter
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  readonly random: () => number
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  readonly log: Logger
  readonly count: (result: EventResult) => void
}

export type EventResult = 'written' | 'series' | 'refused' | 'dropped' | 'failed'

/** What Events are made from: a table that every worker runs, and what was found on its way. */
export interface EventView {
  readonly findings: readonly Diagnostic[]
  readonly served: readonly Ingress[]
  readonly find: (kind: Kind, namespace: string, name: string) => AnyObject | undefined
  /** What the status of an Ingress shows. */
  readonly publishedOf: (namespace: string, name: string) => readonly string[]
}

interface Planned {
  readonly regarding: AnyObject
  readonly verdict: Verdict
}

/** An Event that was written, for the case that the same happens again. */
interface Written {
  readonly namespace: string
  readonly name: string
  count: number
  lastMs: number
}

const perSecond = 10
const burst = 50
const parallelMax = 2
/** Events that wait; the API server's own bound on what a component may say is far lower. */
const waitingMax = 2000
/** Of one object and change. */
const perObjectMax = 10
/** The same within this time continues a series, as in client-go. */
const seriesMs = 6 * 60_000
const writtenMax = 4096
/** Kinds of refusals that are logged while this replica leads. */
const complaintsMax = 100
const timeoutMs = 4000
const answerBytesMax = 1024 * 1024

/**
 * Tells the owners of objects, by Events, what became of them: one for each finding when it comes up,
 * and one when an Ingress that changed is in force without any. What did not change says nothing.
 */
export class Events {
  readonly #options: EventsOptions
  readonly #queue: PacedQueue<Planned>
  readonly #written = new Map<string, Written>()
  /** Findings that are known, by what they say about which object. */
  #known = new Set<string>()
  #served = new Map<string, Ingress>()
  #servedItems: readonly Ingress[] = []
  /** Of findings that table after table has. */
  readonly #keys = new WeakMap<Diagnostic, { readonly of: AnyObject; readonly key: string }>()
  #faulty = new Set<string>()
  #first = true
  #complaints = new Set<string>()
  #leading = false
  /** Reported by whoever led before. */
  #reported = new Set<string>()
  #view: EventView | undefined

  constructor(options: EventsOptions) {
    const { now, random, schedule, count, log } = options
    this.#options = options
    this.#queue = new PacedQueue<Planned>({
      perSecond,
      burst,
      parallelMax,
      lengthMax: waitingMax,
      now,
      random,
      schedule,
      work: async (planned, key) => {
        await this.#write(key, planned)
      },
      onPause: (error, pauseMs) => {
        count('failed')
        log.warn('Event not written', { problem: errorText(error), pauseMs })
      },
    })
  }

  /** Becomes the one who writes, or stops. What was reported within the last hour is not again. */
  async lead(leading: boolean): Promise<void> {
    this.#leading = leading
    this.#queue.stop()
    if (!leading) return
    try {
      const { client, reporter } = this.#options
      this.#reported = await earlierEvents(client, reporter)
    } catch (error) {
      this.#options.log.warn('earlier Events are not known', { problem: errorText(error) })
    }
    this.#startOver()
  }

  /** Every worker runs another table. */
  update(view: EventView): void {
    this.#view = view
    if (this.#leading) this.#compare(view)
  }

  /** Says what holds now, apart from what was said by others. */
  #startOver(): void {
    if (!this.#leading) return
    this.#known = new Set()
    this.#served = new Map()
    this.#servedItems = []
    this.#faulty = new Set()
    this.#first = true
    this.#complaints = new Set()
    this.#queue.start()
    if (this.#view !== undefined) this.#compare(this.#view)
  }

  #compare(view: EventView): void {
    const { known, faulty } = this.#compareFindings(view)
    const same = sameItems(this.#servedItems, view.served)
    const served = same
      ? this.#served
      : new Map(view.served.map((ingress) => [objectKey(ingress), ingress]))
    // Of what is served as before, only what had a fault can be news.
    const due = same && !this.#first ? this.#faultyAmong(served) : served
    for (const [object, ingress] of due) {
      if (faulty.has(object) || !this.#isNews(object, ingress, view)) continue
      this.#planAccepted(ingress)
    }
    this.#known = known
    this.#served = served
    this.#servedItems = view.served
    this.#faulty = faulty
    this.#first = false
  }

  *#faultyAmong(served: ReadonlyMap<string, Ingress>): Generator<readonly [string, Ingress], void> {
    for (const object of this.#faulty) {
      const ingress = served.get(object)
      if (ingress !== undefined) yield [object, ingress]
    }
  }

  /** Plans what is new among the findings. Gives those that are known now, and objects with errors. */
  #compareFindings({ findings, find }: EventView): { known: Set<string>; faulty: Set<string> } {
    const known = new Set<string>()
    const faulty = new Set<string>()
    const said = new Map<string, number>()
    for (const finding of findings) {
      const { kind, namespace, name, severity } = finding
      const verdict = verdictOf(finding)
      const regarding = isKind(kind) ? find(kind, namespace, name) : undefined
      if (verdict === undefined || regarding === undefined) continue
      const object = objectKey(regarding)
      if (severity === 'error') faulty.add(object)
      const key = this.#keyOf(finding, { regarding, verdict })
      known.add(key)
      const count = said.get(object) ?? 0
      if (this.#known.has(key) || count >= perObjectMax) continue
      said.set(object, count + 1)
      this.#plan(key, { regarding, verdict })
    }
    return { known, faulty }
  }

  #keyOf(finding: Diagnostic, planned: Planned): string {
    const kept = this.#keys.get(finding)
    if (kept?.of === planned.regarding) return kept.key
    const key = keyOf(planned)
    this.#keys.set(finding, { of: planned.regarding, key })
    return key
  }

  /** In force as it was not before. At first only what has no address yet: it was never accepted. */
  #isNews(object: string, ingress: Ingress, { publishedOf }: EventView): boolean {
    const { namespace, name } = ingress.metadata
    if (this.#first) return publishedOf(namespace, name).length === 0
    return this.#faulty.has(object) || this.#served.get(object) !== ingress
  }

  /** At first these are all Ingresses there are: those that there is no room for cost nothing more. */
  #planAccepted(ingress: Ingress): void {
    if (this.#queue.full && this.#reported.size === 0) {
      this.#options.count('dropped')
      return
    }
    const planned = { regarding: ingress, verdict: accepted }
    this.#plan(keyOf(planned), planned)
  }

  #plan(key: string, planned: Planned): void {
    if (this.#reported.delete(key)) return
    if (!this.#queue.add(key, planned)) this.#options.count('dropped')
  }

  async #write(key: string, planned: Planned): Promise<void> {
    if (!this.#leading) return
    try {
      if (!(await this.#continueSeries(key))) await this.#create(key, planned)
    } catch (error) {
      // No namespace, no right, not valid: the next one may fare better.
      if (!(error instanceof ApiError) || ![400, 403, 404, 409, 422].includes(error.status)) {
        throw error
      }
      this.#options.count('refused')
      this.#complain(planned.regarding.metadata.namespace, error)
    }
  }

  /** A right that is missing is missing for every Event of a namespace: once is enough. */
  #complain(namespace: string, { status, message }: ApiError): void {
    const complaint = `${status} ${namespace}`
    if (this.#complaints.has(complaint) || this.#complaints.size >= complaintsMax) return
    this.#complaints.add(complaint)
    this.#options.log.warn('Events are refused', { problem: message })
  }

  async #create(key: string, { regarding, verdict }: Planned): Promise<void> {
    const { client, reporter, wallClock, count, random } = this.#options
    const body = eventBody(regarding, verdict, {
      reporter,
      nowMs: wallClock(),
      suffix: Math.floor(random() * 2 ** 48).toString(16),
    })
    const { namespace, name } = body.metadata
    const path = eventsPath(namespace)
    await client.request({ method: 'POST', path, body, timeoutMs, bytesMax: answerBytesMax })
    count('written')
    this.#remember(key, { namespace, name, count: 1, lastMs: this.#options.now() })
  }

  async #continueSeries(key: string): Promise<boolean> {
    const { client, now, wallClock, count } = this.#options
    const written = this.#written.get(key)
    if (written === undefined || now() - written.lastMs > seriesMs) return false
    try {
      await client.request({
        method: 'PATCH',
        path: `${eventsPath(written.namespace)}/${written.name}`,
        contentType: 'application/merge-patch+json',
        body: seriesPatch(written.count + 1, wallClock()),
        timeoutMs,
        bytesMax: answerBytesMax,
      })
    } catch (error) {
      // Events live for an hour, or less.
      if (isNotFound(error)) return false
      throw error
    }
    count('series')
    this.#remember(key, { ...written, count: written.count + 1, lastMs: now() })
    return true
  }

  /** The oldest makes room. */
  #remember(key: string, written: Written): void {
    this.#written.delete(key)
    this.#written.set(key, written)
    if (this.#written.size <= writtenMax) return
    const [oldest] = this.#written.keys()
    if (oldest !== undefined) this.#written.delete(oldest)
  }
}

/** Findings may be about objects that were only named. */
function isKind(kind: string): kind is Kind {
  return (kinds as readonly string[]).includes(kind)
}

function objectKey({ kind, metadata }: { kind: Kind; metadata: AnyObject['metadata'] }): string {
  return `${kind}/${metadata.namespace}/${metadata.name}/${metadata.uid}`
}

/** The same for whoever led before: see `earlierEvents`. */
function keyOf({ regarding, verdict }: Planned): string {
  return eventKey(regarding.metadata.uid || objectKey(regarding), verdict.reason, verdict.note)
}

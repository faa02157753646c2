import { hash } from 'node:crypto'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { apiVersionOf } from '#src/snapshot/project.ts'
import type { Verdict } from './event-reasons.ts'

/** Who speaks. */
export interface Reporter {
  /** Name of the controller, e.g. headgate.dev/ingress-controller. */
  readonly controller: string
  /** Of this replica. */
  readonly instance: string
  /** Namespaces that may be asked about earlier Events; empty: the whole cluster. */
  readonly namespaces: readonly string[]
}

const apiVersion = 'events.k8s.io/v1'
const instanceLengthMax = 128
/** Names of Events carry that of their object; what is longer is cut. */
const nameLengthMax = 200
const pageSize = 500
/** Earlier Events that are looked at. */
const earlierMax = 5000

export function eventsPath(namespace: string): string {
  return `/apis/${apiVersion}/namespaces/${namespace}/events`
}

export interface EventContext {
  readonly reporter: Reporter
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /** Makes the name one of its own. */
  readonly suffix: string
}

/** An Event (events.k8s.io/v1) about an object. Those of cluster scope have theirs in `default`. */
export function eventBody(
  { kind, metadata }: AnyObject,
  { type, reason, note }: Verdict,
  { reporter, nowMs, suffix }: EventContext,
) {
  const namespace = metadata.namespace || 'default'
  return {
    apiVersion,
    kind: 'Event',
    metadata: { namespace, name: `${metadata.name.slice(0, nameLengthMax)}.${suffix}` },
    eventTime: microTime(nowMs),
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, instanceLengthMax),
    action: 'Compile',
    type,
    reason,
    note,
    regarding: {
      apiVersion: apiVersionOf(kind),
      kind,
      name: metadata.name,
      uid: metadata.uid,
      ...(metadata.namespace === '' ? {} : { namespace: metadata.namespace }),
    },
  }
}

/** The same has happened `count` times. */
export function seriesPatch(count: number, nowMs: number) {
  return { series: { count, lastObservedTime: microTime(nowMs) } }
}

/** Events of one page, as far as they are read. */
interface EventList {
  readonly metadata?: { readonly continue?: string }
  readonly items?: readonly {
    readonly reason?: string
    readonly note?: string
    readonly regarding?: { readonly uid?: string }
  }[]
}

/** Keys (`eventKey`) of Events that a replica has written already: the API server keeps them for an hour. */
export async function earlierEvents(
  client: ApiClient,
  { controller, namespaces }: Reporter,
): Promise<Set<string>> {
  const keys = new Set<string>()
  const paths =
    namespaces.length === 0 ? [`/apis/${apiVersion}/events`] : namespaces.map(eventsPath)
  for (const path of paths) await readEarlier(client, { path, controller }, keys)
  return keys
}

async function readEarlier(
  client: ApiClient,
  { path, controller }: { readonly path: string; readonly controller: string },
  keys: Set<string>,
): Promise<void> {
  let next = ''
  for (let seen = 0; seen < earlierMax; seen += pageSize) {
    const list = (await client.request({
      method: 'GET',
      path,
      query: {
        fieldSelector: `reportingController=${controller}`,
        limit: String(pageSize),
        ...(next === '' ? {} : { continue: next }),
      },
    })) as EventList
    for (const { regarding, reason = '', note = '' } of list.items ?? []) {
      keys.add(eventKey(regarding?.uid ?? '', reason, note))
    }
    next = list.metadata?.continue ?? ''
    if (next === '') break
  }
}

/** What an Event says about which object, short, as many are kept. */
export function eventKey(uid: string, reason: string, note: string): string {
  return hash('sha256', JSON.stringify([uid, reason, note]), 'base64')
}

/** metav1.MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

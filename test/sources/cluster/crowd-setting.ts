import { seededRandom } from '#algorithms/random.ts'
import type { ApiClient, ApiRequest, WatchRequest } from '#src/kubernetes/api-client.ts'
import { ApiError } from '#src/kubernetes/api-error.ts'
import { createLogger } from '#src/observe/log.ts'
import { Store } from '#src/snapshot/store.ts'
import { ClusterSource } from '#src/sources/cluster/cluster-source.ts'
import { ManualTime } from '../manual-time.ts'

/** One request that reached the server, or would have if there were one. */
export interface Note {
  readonly atMs: number
  /** Everything is asked for, as a list or as the beginning of a watch. */
  readonly list: boolean
}

/** How the server answers: `busy` is 429 with Retry-After. */
export type Mood = 'well' | 'away' | 'busy'

const retryAfterSeconds = 30

/**
 * One API server with many clients, all in memory and on one clock, so that minutes of many replicas
 * pass in a moment. Of each kind it has one object, whose version is that of the server.
 */
export class CrowdedServer {
  readonly notes: Note[] = []
  mood: Mood = 'well'
  readonly #now: () => number
  readonly #open = new Set<Stream>()
  #version = 100
  #oldest = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Every object is another one now; watches from before are told that they are too old (410). */
  forgetThePast(): void {
    this.#oldest = ++this.#version
  }

  /** Every object is another one now; watches that come back are told. */
  change(): void {
    this.#version++
  }

  /** All open watches end at the same moment: in order, or because the connection breaks. */
  endWatches(how: 'end' | 'cut'): void {
    for (const stream of this.#open) stream.finish(how === 'end' ? undefined : unreachable())
    this.#open.clear()
  }

  get openWatches(): number {
    return this.#open.size
  }

  client(): ApiClient {
    return {
      server: 'https://crowded.example',
      namespace: 'ops',
      request: async (request) => await this.#request(request),
      watch: async (request) => await this.#watch(request),
      close: async () => {
        await Promise.resolve()
      },
    }
  }

  async #request({ path }: ApiRequest): Promise<unknown> {
    await this.#admit(true)
    const items = [objectOf(path, this.#version)]
    return { kind: 'List', metadata: { resourceVersion: String(this.#version) }, items }
  }

  async #watch({ path, query, signal }: WatchRequest): Promise<AsyncIterable<Buffer>> {
    const initial = query['sendInitialEvents'] === 'true'
    await this.#admit(initial)
    const stream = new Stream(signal)
    const from = Number(query['resourceVersion'] ?? 0)
    if (!initial && from < this.#oldest) {
      stream.write({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
      stream.finish()
      return stream.read()
    }
    if (initial || from < this.#version) {
      const name = (query['fieldSelector'] ?? '').replace('metadata.name=', '')
      stream.write({ type: 'ADDED', object: objectOf(path, this.#version, name) })
    }
    const annotations = { 'k8s.io/initial-events-end': String(initial) }
    const metadata = { resourceVersion: String(this.#version), annotations }
    stream.write({ type: 'BOOKMARK', object: { metadata } })
    this.#open.add(stream)
    signal.addEventListener('abort', () => this.#open.delete(stream))
    return stream.read()
  }

  async #admit(list: boolean): Promise<void> {
    this.notes.push({ atMs: this.#now(), list })
    await Promise.resolve()
    if (this.mood === 'away') throw unreachable()
    if (this.mood === 'busy') {
      const retryAfterMs = retryAfterSeconds * 1000
      const failure = { status: 429, reason: 'TooManyRequests', message: 'busy', retryAfterMs }
      throw new ApiError('ASK /it', failure)
    }
  }
}

/** Lines for one reader. */
class Stream {
  readonly #signal: AbortSignal
  readonly #lines: Buffer[] = []
  #ended = false
  #error: ApiError | undefined
  #wake: () => void = () => {}

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => {
      this.finish(new ApiError('WATCH /it', { status: 0, reason: 'Aborted', message: 'given up' }))
    })
  }

  write(event: unknown): void {
    this.#lines.push(Buffer.from(`${JSON.stringify(event)}\n`))
    this.#wake()
  }

  finish(error?: ApiError): void {
    this.#ended = true
    this.#error = error
    this.#wake()
  }

  async *read(): AsyncGenerator<Buffer> {
    for (;;) {
      for (const line of this.#lines.splice(0)) yield line
      if (this.#error !== undefined || this.#signal.aborted) throw this.#error ?? unreachable()
      if (this.#ended) return
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

function unreachable(): ApiError {
  return new ApiError('ASK /it', { status: 0, reason: 'Unreachable', message: 'ECONNREFUSED' })
}

function objectOf(path: string, version: number, name = 'one'): unknown {
  const namespace = /namespaces\/([^/]+)/.exec(path)?.[1] ?? 'n'
  const labels = { version: String(version) }
  return { metadata: { name: name || 'one', namespace, resourceVersion: String(version), labels } }
}

export interface Crowd {
  readonly server: CrowdedServer
  readonly time: ManualTime
  /** Versions of everything that each replica has, the lowest of them. */
  readonly oldestKnown: () => number
  /** Lets time pass in small steps; after each of them everything that can be done is done. */
  readonly pass: (ms: number) => Promise<void>
  readonly stop: () => Promise<void>
}

const stepMs = 20
/** Secrets that each replica reads, each by a watch of its own. */
const secrets = ['a', 'b', 'c', 'd'].map((name) => ({ namespace: 'n', name }))

/** Many replicas with their first view, and with chances of their own. */
export async function startCrowd(replicas: number, seed: number): Promise<Crowd> {
  const time = new ManualTime()
  const server = new CrowdedServer(time.now)
  const random = seededRandom(seed)
  const log = createLogger({ format: 'text', level: 'error', now: () => 0, write: () => undefined })
  const stores: Store[] = []
  const sources = Array.from({ length: replicas }, () => {
    const store = new Store()
    stores.push(store)
    return new ClusterSource({
      client: server.client(),
      scope: {
        namespaces: [],
        namespaceLabels: false,
        ingressClass: 'headgate',
        defaultBackend: undefined,
      },
      owner: {
        onChange: ({ put, deleted }) => {
          for (const { kind, namespace, name } of deleted) store.delete(kind, namespace, name)
          for (const object of put) store.put(object)
        },
      },
      log,
      timing: { now: time.now, random, schedule: time.schedule },
    })
  })
  await Promise.all(sources.map((source) => source.start()))
  await Promise.all(sources.map((source) => source.want({ secrets, configMaps: [] })))
  const pass = async (ms: number): Promise<void> => {
    for (const end = time.now() + ms; time.now() < end;) {
      time.advance(stepMs)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return {
    server,
    time,
    oldestKnown: () => Math.min(...stores.flatMap(versionsOf)),
    pass,
    stop: async () => {
      await Promise.all(sources.map((source) => source.stop()))
    },
  }
}

function versionsOf(store: Store): number[] {
  const snapshot = store.freeze()
  const kinds = ['Ingress', 'Service', 'EndpointSlice', 'Secret'] as const
  return kinds.flatMap((kind) =>
    [...snapshot.all(kind)].map(({ metadata }) => Number(metadata.labels['version'])),
  )
}

/** The most that fall into any stretch of time of this length. */
export function peak(notes: readonly Note[], windowMs: number): number {
  let most = 0
  let first = 0
  for (const [last, { atMs }] of notes.entries()) {
    while (atMs - (notes[first]?.atMs ?? atMs) >= windowMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

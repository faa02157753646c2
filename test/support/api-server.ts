import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

type Json = Record<string, unknown>

/** An object as a test writes it; version and uid are given by the server. */
export interface Draft {
  readonly apiVersion?: string
  readonly kind: string
  readonly metadata: Json & { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

/** One request, taken apart. */
export interface Asked {
  readonly method: string
  readonly path: string
  /** Plural of the kind, e.g. ingresses. */
  readonly plural: string
  readonly namespace: string
  readonly name: string
  readonly query: URLSearchParams
  readonly watch: boolean
  /** A watch that begins with everything there is. */
  readonly initial: boolean
  readonly metadataOnly: boolean
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

interface Stored {
  readonly plural: string
  readonly body: Json
  readonly version: number
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly stored: Stored
}

interface Listening {
  readonly asked: Asked
}

const pluralOf: Readonly<Record<string, string>> = {
  Ingress: 'ingresses',
  IngressClass: 'ingressclasses',
  Service: 'services',
  EndpointSlice: 'endpointslices',
  Secret: 'secrets',
  ConfigMap: 'configmaps',
  Namespace: 'namespaces',
}

/**
 * An API server that does what a test tells it to: lists with pages, watches with initial events and
 * bookmarks, objects by name, all from memory, and every fault that a real one cannot be told to commit.
 */
export class ScriptedApiServer {
  readonly requests: Asked[] = []
  /** Answers a request itself and gives true, or leaves it alone. */
  intercept: (asked: Asked) => boolean = () => false
  /** Called after every request and every end of a watch. */
  onHappening: () => void = () => {}
  watchListSupported = true
  readonly #server: Server
  readonly #scheme: 'http' | 'https'
  readonly #objects = new Map<string, Stored>()
  readonly #history: Change[] = []
  readonly #listening = new Set<Listening>()
  #version = 100
  #oldest = 0

  /** With a certificate it speaks TLS, and asks for one of the client. */
  constructor(tls?: ServerOptions) {
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answer(request, response)
    }
    this.#scheme = tls === undefined ? 'http' : 'https'
    const asking = { requestCert: true, rejectUnauthorized: false }
    this.#server =
      tls === undefined ? createServer(answer) : createTlsServer({ ...tls, ...asking }, answer)
  }

  get version(): number {
    return this.#version
  }

  get openWatches(): readonly Asked[] {
    return [...this.#listening].map(({ asked }) => asked)
  }

  get url(): string {
    const host = this.#scheme === 'http' ? '127.0.0.1' : 'localhost'
    return `${this.#scheme}://${host}:${(this.#server.address() as AddressInfo).port}`
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Adds or replaces an object; open watches are told. */
  put(draft: Draft): void {
    const plural = pluralOf[draft.kind] ?? `${draft.kind.toLowerCase()}s`
    const key = keyOf(plural, draft.metadata.namespace ?? '', draft.metadata.name)
    const known = this.#objects.get(key)
    const version = ++this.#version
    const metadata = { ...draft.metadata, resourceVersion: String(version) }
    const stored = { plural, body: { apiVersion: 'v1', ...draft, metadata }, version }
    this.#objects.set(key, stored)
    this.#changed({ type: known === undefined ? 'ADDED' : 'MODIFIED', stored })
  }

  delete(kind: string, namespace: string, name: string): void {
    const plural = pluralOf[kind] ?? ''
    const key = keyOf(plural, namespace, name)
    const stored = this.#objects.get(key)
    if (stored === undefined) throw new Error(`${key} does not exist`)
    this.#objects.delete(key)
    const version = ++this.#version
    const metadata = { ...(stored.body['metadata'] as Json), resourceVersion: String(version) }
    const last = { plural, body: { ...stored.body, metadata }, version }
    this.#changed({ type: 'DELETED', stored: last })
  }

  /** Everything up to now is forgotten: whoever wants to go on from before is told 410. */
  compact(): void {
    this.#oldest = ++this.#version
    this.#history.length = 0
  }

  /** Tells open watches how far they are. */
  bookmark(): void {
    for (const { asked } of this.#listening) writeEvent(asked, bookmarkOf(this.#version, false))
  }

  /** Ends open watches as the server does when their time is over, or cuts them off. */
  endWatches(how: 'end' | 'cut' = 'end'): void {
    for (const { asked } of this.#listening) {
      if (how === 'end') asked.response.end()
      else asked.response.socket?.destroy()
    }
  }

  /** Writes something to every open watch. */
  writeRaw(text: string): void {
    for (const { asked } of this.#listening) asked.response.write(text)
  }

  /** A kubeconfig for this server; what is given goes into its cluster and its user. */
  kubeconfig(
    t: TestContext,
    { cluster = {}, user = {} }: { cluster?: Json; user?: Json } = {},
  ): string {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-api-'))
    t.after(() => {
      rmSync(folder, { recursive: true, force: true })
    })
    const file = join(folder, 'config')
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: this.url, ...cluster } }],
      users: [{ name: 'test', user }],
    }
    writeFileSync(file, JSON.stringify(config))
    return file
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const asked = askedOf(request, response)
    this.requests.push(asked)
    response.on('close', () => {
      this.onHappening()
    })
    if (!this.intercept(asked)) {
      if (asked.watch) this.#watch(asked)
      else if (asked.name === '') this.#list(asked)
      else this.#get(asked)
    }
    this.onHappening()
  }

  #get(asked: Asked): void {
    const stored = this.#objects.get(keyOf(asked.plural, asked.namespace, asked.name))
    if (stored === undefined) answerStatus(asked, 404, 'NotFound', `${asked.name} not found`)
    else answerJson(asked, 200, stored.body)
  }

  #list(asked: Asked): void {
    const { query } = asked
    const limit = Number(query.get('limit') ?? 0)
    const [version = this.#version, from = 0] = (query.get('continue') ?? '')
      .split(':')
      .filter(Boolean)
      .map(Number)
    if (version < this.#oldest) {
      answerStatus(asked, 410, 'Expired', 'the continue token is too old')
      return
    }
    const all = this.#matching(asked)
    const page = limit > 0 ? all.slice(from, from + limit) : all
    const more = from + page.length < all.length
    answerJson(asked, 200, {
      kind: 'List',
      metadata: {
        resourceVersion: String(version),
        ...(more ? { continue: `${version}:${from + page.length}` } : {}),
      },
      items: page.map(({ body }) => shown(body, asked)),
    })
  }

  #watch(asked: Asked): void {
    const { query, response, initial } = asked
    if (initial && !this.watchListSupported) {
      answerStatus(asked, 422, 'Invalid', 'sendInitialEvents is forbidden for watch')
      return
    }
    const from = Number(query.get('resourceVersion') ?? 0)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    if (!initial && from < this.#oldest) {
      const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }
      writeEvent(asked, { type: 'ERROR', object: status })
      response.end()
      return
    }
    if (initial) {
      for (const stored of this.#matching(asked)) tell(asked, { type: 'ADDED', stored })
      writeEvent(asked, bookmarkOf(this.#version, true))
    } else {
      for (const change of this.#history) {
        if (change.stored.version > from && matches(asked, change.stored)) tell(asked, change)
      }
    }
    const listening = { asked }
    this.#listening.add(listening)
    response.on('close', () => {
      this.#listening.delete(listening)
      this.onHappening()
    })
  }

  #matching(asked: Asked): Stored[] {
    return [...this.#objects.values()].filter((stored) => matches(asked, stored))
  }

  #changed(change: Change): void {
    this.#history.push(change)
    for (const { asked } of this.#listening) {
      if (matches(asked, change.stored)) tell(asked, change)
    }
  }
}

/** Answers with a body of kind Status. */
export function answerStatus(asked: Asked, code: number, reason: string, message: string): void {
  answerJson(asked, code, { kind: 'Status', status: 'Failure', code, reason, message })
}

export function answerJson({ response }: Asked, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

export function writeEvent({ response }: Asked, event: unknown): void {
  response.write(`${JSON.stringify(event)}\n`)
}

export function bookmarkOf(version: number, initialEnd: boolean): unknown {
  const annotations = initialEnd ? { 'k8s.io/initial-events-end': 'true' } : {}
  const metadata = { resourceVersion: String(version), annotations }
  return { type: 'BOOKMARK', object: { kind: 'Bookmark', metadata } }
}

function tell(asked: Asked, { type, stored }: Change): void {
  writeEvent(asked, { type, object: shown(stored.body, asked) })
}

function shown(body: Json, { metadataOnly }: Asked): Json {
  if (!metadataOnly) return body
  const kind = 'PartialObjectMetadata'
  return { kind, apiVersion: 'meta.k8s.io/v1', metadata: body['metadata'] }
}

function matches({ plural, namespace, query }: Asked, stored: Stored): boolean {
  if (stored.plural !== plural) return false
  const metadata = stored.body['metadata'] as Json
  if (namespace !== '' && metadata['namespace'] !== namespace) return false
  const labels = (metadata['labels'] ?? {}) as Json
  const fields: Json = { 'metadata.name': metadata['name'], type: stored.body['type'] }
  return selects(query.get('fieldSelector'), fields) && selects(query.get('labelSelector'), labels)
}

function selects(selector: string | null, values: Json): boolean {
  return (selector ?? '')
    .split(',')
    .filter(Boolean)
    .every((part) => {
      const [name = '', value] = part.split('=')
      return values[name] === value
    })
}

function keyOf(plural: string, namespace: string, name: string): string {
  return `${plural}/${namespace}/${name}`
}

function askedOf(request: IncomingMessage, response: ServerResponse): Asked {
  const url = new URL(request.url ?? '/', 'http://server.test')
  const parts = url.pathname.split('/').filter(Boolean)
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  const scoped = rest[0] === 'namespaces' && rest.length > 2
  const [plural = '', name = ''] = scoped ? rest.slice(2) : rest
  const watch = url.searchParams.get('watch') === 'true'
  return {
    method: request.method ?? '',
    path: url.pathname,
    plural,
    namespace: scoped ? (rest[1] ?? '') : '',
    name,
    query: url.searchParams,
    watch,
    initial: watch && url.searchParams.get('sendInitialEvents') === 'true',
    metadataOnly: (request.headers.accept ?? '').includes('as=PartialObjectMetadata'),
    request,
    response,
  }
}

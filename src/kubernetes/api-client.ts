import type { Readable } from 'node:stream'
import { errorText } from '#src/observe/log.ts'
import { ApiError, failureOf } from './api-error.ts'
import type { FailureReason } from './api-error.ts'
import { Credentials } from './credentials.ts'
import { loadConfig } from './kube-config.ts'
import type { ClusterChoice, LoadedConfig } from './kube-config.ts'
import { tlsProblem } from './tls-problem.ts'

type Query = Readonly<Record<string, string>>

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root, without query, e.g. /api/v1/nodes. */
  readonly path: string
  readonly query?: Query
  /** Sent as JSON. */
  readonly body?: unknown
  /** Of the body; default application/json. */
  readonly contentType?: string
  /** Default application/json. */
  readonly accept?: string
  /** More fields, lower case. */
  readonly headers?: Query
  /** For everything together, until the last byte of the answer. Default 30 s. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** An answer longer than this is an error. Default 128 MiB. */
  readonly bytesMax?: number
}

export interface WatchRequest {
  readonly path: string
  readonly query: Query
  readonly accept?: string
  /** Ends the watch. */
  readonly signal: AbortSignal
  /** For the head of the answer. Default 30 s. */
  readonly timeoutMs?: number
}

/** A connection to the API server of one cluster. All errors are of class {@link ApiError}. */
export interface ApiClient {
  /** URL of the API server. */
  readonly server: string
  /** Namespace of the context; in a cluster that of our Pod. */
  readonly namespace: string
  /** The parsed answer, undefined for an empty one. Rejects unless the status is 2xx. */
  request(options: ApiRequest): Promise<unknown>
  /**
   * The body of a watch as it comes; status 200 has been seen. There is no time-out between pieces:
   * that is the reader's. Whoever stops reading must leave the loop or abort the signal.
   */
  watch(options: WatchRequest): Promise<AsyncIterable<Buffer>>
  /** Cuts all connections. */
  close(): Promise<void>
}

export interface ApiClientOptions {
  readonly cluster: ClusterChoice
  /** Value of User-Agent. */
  readonly userAgent: string
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

const timeoutMsPreset = 30_000
const bytesMaxPreset = 128 * 1024 * 1024
/** What is read of an answer that refuses something. */
const refusalBytesMax = 64 * 1024

/** Reads the configuration of the cluster; throws a KubeConfigError when it is wrong. Asks nothing yet. */
export async function createApiClient(options: ApiClientOptions): Promise<ApiClient> {
  const { cluster, userAgent, now = () => performance.now() } = options
  const config = await loadConfig(cluster)
  const credentials = new Credentials(config, async () => await loadConfig(cluster), now)
  return new Client(config, credentials, userAgent)
}

interface Answer {
  readonly body: Readable
  readonly name: string
}

type Method = ApiRequest['method']

interface Sent extends Pick<ApiRequest, 'path' | 'query' | 'accept' | 'contentType' | 'headers'> {
  readonly method: Method
  readonly body?: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

class Client implements ApiClient {
  readonly server: string
  readonly namespace: string
  readonly #credentials: Credentials
  readonly #userAgent: string
  readonly #through: string
  readonly #origin: string
  readonly #prefix: string

  constructor(
    { server, namespace, proxyUrl }: LoadedConfig,
    credentials: Credentials,
    userAgent: string,
  ) {
    this.server = server
    this.namespace = namespace
    // It may hold a password; what went wrong may have gone wrong there.
    this.#through = proxyUrl === '' ? '' : ` through the proxy ${new URL(proxyUrl).host}`
    this.#credentials = credentials
    this.#userAgent = userAgent
    const { origin, pathname } = new URL(server)
    this.#origin = origin
    this.#prefix = pathname.replace(/\/+$/, '')
  }

  async request(options: ApiRequest): Promise<unknown> {
    const { timeoutMs = timeoutMsPreset, bytesMax = bytesMaxPreset, signal } = options
    const deadline = new Deadline(timeoutMs, signal)
    const name = this.#nameOf(options)
    try {
      const { method, path, query, accept, contentType, headers = {} } = options
      const body = options.body === undefined ? undefined : JSON.stringify(options.body)
      const sent = {
        method,
        path,
        query,
        accept,
        contentType,
        headers,
        timeoutMs,
        signal: deadline.signal,
      }
      const answer = await this.#send({ ...sent, body } as Sent)
      return parse(name, await readAll(answer, bytesMax))
    } catch (error) {
      throw apiErrorOf(name, error, deadline)
    } finally {
      deadline.clear()
    }
  }

  async watch(options: WatchRequest): Promise<AsyncIterable<Buffer>> {
    const { path, query, accept, signal, timeoutMs = timeoutMsPreset } = options
    const deadline = new Deadline(timeoutMs, signal)
    const name = this.#nameOf({ method: 'WATCH', path })
    try {
      const sent = { method: 'GET', path, query, accept, timeoutMs, signal: deadline.signal }
      const { body } = await this.#send({ ...sent } as Sent)
      deadline.headSeen()
      return pieces(body, name, deadline)
    } catch (error) {
      deadline.clear()
      throw apiErrorOf(name, error, deadline)
    }
  }

  async close(): Promise<void> {
    await this.#credentials.close()
  }

  /** What is asked, for messages. */
  #nameOf({ method, path }: { readonly method: string; readonly path: string }): string {
    return `${method} ${path}${this.#through}`
  }

  #withoutLogin({ method, path }: Sent, error: unknown): ApiError {
    return failed(`${method} ${path}`, 'Credentials', `no login: ${errorText(error)}`)
  }

  /** The answer of status 2xx; a refused log-in is tried once more with what is on disk now. */
  async #send(sent: Sent): Promise<Answer> {
    const answer = await this.#sendOnce(sent)
    if (answer.status !== 401) return await this.#accepted(sent, answer)
    const refused = await this.#accepted(sent, answer).catch((error: unknown) => error)
    const renewed = await this.#credentials.renew().catch((error: unknown) => {
      throw this.#withoutLogin(sent, error)
    })
    if (!renewed) throw refused
    return await this.#accepted(sent, await this.#sendOnce(sent))
  }

  async #sendOnce(sent: Sent) {
    const { method, path, query, accept, contentType, body, timeoutMs, signal } = sent
    const { headers, dispatcher } = await this.#credentials.current().catch((error: unknown) => {
      throw this.#withoutLogin(sent, error)
    })
    const {
      statusCode,
      headers: fields,
      body: stream,
    } = await dispatcher.request({
      origin: this.#origin,
      method,
      path: this.#prefix + path,
      ...(query === undefined ? {} : { query }),
      headers: {
        accept: accept ?? 'application/json',
        'user-agent': this.#userAgent,
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
        ...sent.headers,
        ...headers,
      },
      body: body ?? null,
      headersTimeout: timeoutMs,
      bodyTimeout: 0,
      signal,
    })
    return { status: statusCode, retryAfter: fields['retry-after'], body: stream as Readable }
  }

  async #accepted(
    { method, path }: Sent,
    { status, retryAfter, body }: { status: number; retryAfter: unknown; body: Readable },
  ): Promise<Answer> {
    const name = this.#nameOf({ method, path })
    if (status >= 200 && status < 300) return { body, name }
    const text = await readStart(body, refusalBytesMax)
    throw new ApiError(name, failureOf(status, text, retryAfter))
  }
}

/** A signal that the caller's signal or a time-out sets off. Leaves nothing behind after `clear`. */
class Deadline {
  timedOut = false
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly #outer: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout
  readonly #onAbort: () => void

  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    const controller = new AbortController()
    this.signal = controller.signal
    this.timeoutMs = timeoutMs
    this.#outer = outer
    this.#onAbort = () => {
      controller.abort()
    }
    this.#timer = setTimeout(() => {
      this.timedOut = true
      controller.abort()
    }, timeoutMs)
    if (outer?.aborted === true) controller.abort()
    outer?.addEventListener('abort', this.#onAbort)
  }

  /** The time-out does not count any more. */
  headSeen(): void {
    clearTimeout(this.#timer)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#onAbort)
  }
}

async function* pieces(body: Readable, name: string, deadline: Deadline): AsyncGenerator<Buffer> {
  try {
    for await (const piece of body) yield piece as Buffer
  } catch (error) {
    throw apiErrorOf(name, error, deadline)
  } finally {
    deadline.clear()
    body.destroy()
  }
}

async function readAll({ body, name }: Answer, bytesMax: number): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const piece of body) {
    parts.push(piece as Buffer)
    bytes += (piece as Buffer).length
    if (bytes <= bytesMax) continue
    body.destroy()
    const message = `the answer is longer than ${bytesMax} bytes`
    throw new ApiError(name, { status: 0, reason: 'TooLarge', message })
  }
  return Buffer.concat(parts, bytes).toString('utf8')
}

/** What a refusal says, as far as it is short; the rest is not waited for. */
async function readStart(body: Readable, bytesMax: number): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of body) {
      parts.push(piece as Buffer)
      bytes += (piece as Buffer).length
      if (bytes > bytesMax) break
    }
  } catch {
    // The status is known, and that is what counts.
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(name: string, text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    const message = 'the answer is not JSON'
    throw new ApiError(name, { status: 0, reason: 'Malformed', message })
  }
}

function apiErrorOf(name: string, error: unknown, deadline: Deadline): ApiError {
  if (error instanceof ApiError) return error
  if (deadline.timedOut) {
    const message = `no answer within ${deadline.timeoutMs / 1000} s`
    return failed(name, 'Timeout', message)
  }
  if (deadline.signal.aborted) return failed(name, 'Aborted', 'given up')
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return failed(name, 'Unreachable', tlsProblem(code) || errorText(error) || code)
}

function failed(name: string, reason: FailureReason, message: string): ApiError {
  return new ApiError(name, { status: 0, reason, message })
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { refusePrivate } from './admin-access.ts'
import { closeAtOnce, listenOn } from './listening.ts'
import { errorText } from './log.ts'
import type { Logger } from './log.ts'

/** An import of it loads fetch and WebSocket as well, which nobody needs here: 40 ms. */
const { createServer } = process.getBuiltinModule('node:http')

/** An answer of the admin port. */
export interface AdminAnswer {
  readonly status: number
  readonly contentType: string
  /** Text, or pieces of it; between pieces others get their turn. */
  readonly body: string | Iterable<string>
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer whose body is there at once. */
export type ShortAnswer = AdminAnswer & { readonly body: string }

export interface AdminRoute {
  /** `open`: for everybody who reaches the port. `private`: see `refusePrivate`. */
  readonly access: 'open' | 'private'
  answer(query: URLSearchParams): AdminAnswer | Promise<AdminAnswer>
}

export interface AdminServerOptions {
  readonly routes: ReadonlyMap<string, AdminRoute>
  /** '' : no token opens private routes. */
  readonly token: string
  readonly log: Logger
}

/** Long answers under way at once; more are told to come back. Short ones, as probes get, always go. */
const longAnswersMax = 8
const connectionsMax = 256
const requestTimeoutMs = 10_000
/** A connection on which nothing moves so long is closed: slow readers must not hold long answers. */
const idleTimeoutMs = 20_000
/** Characters, and milliseconds of making them, before others get their turn. */
const sliceLength = 64 * 1024
const sliceMs = 5

/** The admin port: health, metrics, API and dashboard over node:http. */
export class AdminServer {
  readonly #server: Server
  readonly #options: AdminServerOptions
  #longAnswers = 0

  constructor(options: AdminServerOptions) {
    this.#options = options
    this.#server = createServer(
      {
        requestTimeout: requestTimeoutMs,
        headersTimeout: requestTimeoutMs,
        keepAliveTimeout: 5000,
      },
      (request, response) => {
        void this.#serve(request, response)
      },
    )
    this.#server.maxConnections = connectionsMax
    this.#server.timeout = idleTimeoutMs
  }

  /** Rejects when the address cannot be listened on. Gives the port. */
  async listen(address: string, port: number): Promise<number> {
    return await listenOn(this.#server, { host: address, port })
  }

  /** Closes every connection at once. */
  async close(): Promise<void> {
    await closeAtOnce(this.#server)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answer = await this.#answer(request)
      if (request.method === 'HEAD') sendHead(response, answer).end()
      else if (typeof answer.body === 'string') sendHead(response, answer).end(answer.body)
      else await this.#sendLong(response, answer, answer.body)
    } catch (error) {
      this.#options.log.error('admin request failed', { error: errorText(error) })
      if (response.headersSent) response.destroy()
      else sendShort(response, plain(500, 'failed; see the log'))
    }
  }

  async #sendLong(
    response: ServerResponse,
    answer: AdminAnswer,
    pieces: Iterable<string>,
  ): Promise<void> {
    if (this.#longAnswers >= longAnswersMax) {
      sendShort(response, { ...plain(503, 'too many at once'), headers: { 'Retry-After': '1' } })
      return
    }
    this.#longAnswers++
    try {
      await sendPieces(sendHead(response, answer), pieces)
    } finally {
      this.#longAnswers--
    }
  }

  async #answer(request: IncomingMessage): Promise<AdminAnswer> {
    const url = URL.parse(request.url ?? '', 'http://admin')
    if (url === null) return plain(400, 'the URL is malformed')
    const route = this.#options.routes.get(url.pathname)
    if (route === undefined) return plain(404, 'there is nothing here')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { ...plain(405, 'only GET and HEAD'), headers: { Allow: 'GET, HEAD' } }
    }
    if (route.access === 'private') {
      const refusal = refusePrivate(request, this.#options.token)
      if (refusal !== undefined) return plain(refusal.status, refusal.message)
    }
    return await route.answer(url.searchParams)
  }
}

/** A short answer in plain text. */
export function plain(status: number, message: string): ShortAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${message}\n` }
}

/** An answer in JSON. */
export function json(value: unknown): AdminAnswer {
  return jsonText(JSON.stringify(value, undefined, 2))
}

/** An answer whose JSON text is there already. */
export function jsonText(text: string): AdminAnswer {
  return { status: 200, contentType: 'application/json; charset=utf-8', body: `${text}\n` }
}

function sendShort(response: ServerResponse, answer: ShortAnswer): void {
  sendHead(response, answer).end(answer.body)
}

function sendHead(response: ServerResponse, answer: AdminAnswer): ServerResponse {
  return response.writeHead(answer.status, {
    'Content-Type': answer.contentType,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(typeof answer.body === 'string' && { 'Content-Length': Buffer.byteLength(answer.body) }),
    ...answer.headers,
  })
}

/** Sends in slices: neither the event loop nor a slow reader's buffer sees the whole text at once. */
async function sendPieces(response: ServerResponse, pieces: Iterable<string>): Promise<void> {
  let text = ''
  let startedAt = performance.now()
  for (const piece of pieces) {
    text += piece
    if (text.length < sliceLength && performance.now() - startedAt < sliceMs) continue
    if (response.destroyed) return
    if (text === '' || response.write(text)) await nextTurn()
    else await drained(response)
    text = ''
    startedAt = performance.now()
  }
  response.end(text)
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

import { once } from 'node:events'
import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import http2 from 'node:http2'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

/** The versions that node speaks as client and as server. */
export const versions = ['http1', 'http2'] as const
export type Version = (typeof versions)[number]

export type Headers = Readonly<Record<string, string | string[] | number | undefined>>

/** What a test sees of an answer, whatever version it came in. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
  readonly trailers: Headers
  readonly interims: readonly number[]
  /** The answer was cut off. */
  readonly cut: boolean
}

/** A request under way: its body goes into `body`, its answer comes. */
export interface Call {
  readonly body: Duplex | http.ClientRequest
  readonly answer: Promise<Answer>
  /** The head has come; the status. */
  readonly head: Promise<number>
  /** Reads the body of the answer to a call that began paused. */
  resume(): void
  /** Goes away. */
  cancel(): void
}

export interface CallOptions {
  readonly method?: string
  readonly headers?: Headers
  /** The head alone is the request. */
  readonly bodyless?: boolean
  /** The body of the answer is not read before `resume`. */
  readonly paused?: boolean
  /** Trailers that follow the body. */
  readonly trailers?: Readonly<Record<string, string>>
}

type Listener = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse & Http2ServerResponse,
) => void

/** A server of node's; each test sets what it answers. */
export class Upstream {
  readonly server: http.Server | http2.Http2Server
  readonly port: number
  listener: Listener = () => undefined
  /** Set: it is called in place of the 100 that node sends by itself. */
  onExpect: Listener | undefined
  readonly sessions = new Set<http2.ServerHttp2Session>()

  private constructor(server: Upstream['server']) {
    this.server = server
    const serve: Listener = (request, response) => {
      this.listener(request, response)
    }
    const expect: Listener = (request, response) => {
      if (this.onExpect !== undefined) this.onExpect(request, response)
      else {
        response.writeContinue()
        this.listener(request, response)
      }
    }
    server.on('request', serve)
    server.on('checkContinue', expect)
    server.on('session', (session: http2.ServerHttp2Session) => {
      this.sessions.add(session)
      session.on('close', () => this.sessions.delete(session))
      session.on('error', () => undefined)
    })
    this.port = (server.address() as AddressInfo).port
  }

  static async start(version: Version): Promise<Upstream> {
    const server =
      version === 'http1'
        ? http.createServer()
        : http2.createServer({ settings: { enableConnectProtocol: true } })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Upstream(server)
  }

  stop(): void {
    for (const session of this.sessions) session.destroy()
    if ('closeAllConnections' in this.server) this.server.closeAllConnections()
    this.server.close()
  }
}

/** A client of one version; HTTP/2 keeps one connection. */
export class Client {
  readonly version: Version
  readonly #port: number
  #session: http2.ClientHttp2Session | undefined

  constructor(version: Version, port: number) {
    this.version = version
    this.#port = port
  }

  get session(): http2.ClientHttp2Session {
    if (this.#session === undefined) {
      this.#session = http2.connect(`http://127.0.0.1:${this.#port}`)
      this.#session.on('error', () => undefined)
    }
    return this.#session
  }

  /** Asks without a body. */
  async get(path: string, headers: Headers = {}): Promise<Answer> {
    const call = this.call(path, { headers, bodyless: true })
    call.body.end()
    return await call.answer
  }

  call(path: string, options: CallOptions = {}): Call {
    return this.version === 'http1' ? this.#http1(path, options) : this.#http2(path, options)
  }

  stop(): void {
    this.#session?.destroy()
  }

  #http1(path: string, { method = 'GET', headers = {}, trailers, paused }: CallOptions): Call {
    const more = trailers === undefined ? {} : { trailer: Object.keys(trailers).join(',') }
    const { promise: head, resolve: headCame } = Promise.withResolvers<number>()
    const request = http.request({
      host: '127.0.0.1',
      port: this.#port,
      path,
      method,
      agent: false,
      headers: { host: 'app.test', ...(headers as http.OutgoingHttpHeaders), ...more },
    })
    const interims: number[] = []
    if (trailers !== undefined) request.addTrailers(trailers)
    request.on('information', ({ statusCode }) => interims.push(statusCode))
    request.on('continue', () => interims.push(100))
    const reading = Promise.withResolvers<void>()
    const answer = new Promise<Answer>((resolve) => {
      const none = { status: 0, headers: {}, body: Buffer.alloc(0), trailers: {} }
      request.on('error', () => {
        headCame(0)
        resolve({ ...none, interims, cut: true })
      })
      request.on('response', (response) => {
        const chunks: Buffer[] = []
        headCame(response.statusCode ?? 0)
        response.on('error', () => undefined)
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        if (paused === true) response.pause()
        void reading.promise.then(() => response.resume())
        response.on('close', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            trailers: response.trailers,
            interims: interims.filter((status) => status !== 101),
            cut: !response.complete,
          })
        })
      })
    })
    const resume = reading.resolve
    return { body: request, answer, head, resume, cancel: () => request.destroy() }
  }

  #http2(path: string, { method = 'GET', headers = {}, ...options }: CallOptions): Call {
    const { trailers, bodyless = false, paused } = options
    const { promise: head, resolve: headCame } = Promise.withResolvers<number>()
    const stream = this.session.request(
      { ':method': method, ':path': path, ':authority': 'app.test', ...headers },
      { endStream: bodyless, waitForTrailers: trailers !== undefined },
    )
    const interims: number[] = []
    if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.on('headers', (fields: http2.IncomingHttpStatusHeader) =>
      interims.push(fields[':status'] ?? 0),
    )
    const answer = new Promise<Answer>((resolve) => {
      let status = 0
      let fields: Headers = {}
      let last: Headers = {}
      const chunks: Buffer[] = []
      stream.on('error', () => undefined)
      stream.on('response', (response) => {
        status = response[':status'] ?? 0
        fields = response
        headCame(status)
      })
      stream.on('trailers', (one) => (last = one as Headers))
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      if (paused === true) stream.pause()
      stream.on('close', () => {
        headCame(status)
        const body = Buffer.concat(chunks)
        const cut = stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR
        resolve({ status, headers: fields, body, trailers: last, interims, cut })
      })
    })
    const cancel = (): void => stream.close(http2.constants.NGHTTP2_CANCEL)
    const resume = (): void => {
      stream.resume()
    }
    return { body: stream, answer, head, resume, cancel }
  }
}

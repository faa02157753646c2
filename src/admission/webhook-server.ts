import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import { closeAtOnce, listenOn } from '#src/observe/listening.ts'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { readReview, reviewText, uncheckedAnswer } from './review.ts'
import type { Outcome, Reviewer } from './reviewer.ts'

/** A certificate with its key, PEM. */
export interface ServingCertificate {
  readonly certificatePem: string
  readonly keyPem: string
}

export interface WebhookServerOptions {
  readonly reviewer: Pick<Reviewer, 'answer'>
  readonly log: Logger
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly count: (outcome: Outcome | 'malformed', durationMs: number) => void
}

/** An object has at most 1.5 MiB at the API server, and a review carries two. */
const bodyBytesMax = 3 * 1024 * 1024
const connectionsMax = 256
/** Reviews whose bodies are on their way. */
const receivingMax = 64
const requestTimeoutMs = 10_000
const idleTimeoutMs = 60_000
/** What the API server grants where the URL does not say it: its own default. */
const deadlineMsPreset = 10_000
const deadlineMsMax = 30_000
/** The way back takes some of the deadline. */
const reserveMs = 300

/** Answers AdmissionReviews over HTTPS. Bounded in connections, bodies and time. */
export class WebhookServer {
  readonly #options: WebhookServerOptions
  readonly #server: Server
  #receiving = 0

  /** Without a certificate, handshakes fail until `useCertificate` is called. */
  constructor(options: WebhookServerOptions) {
    this.#options = options
    this.#server = createServer(
      {
        minVersion: 'TLSv1.2',
        requestTimeout: requestTimeoutMs,
        headersTimeout: requestTimeoutMs,
        keepAliveTimeout: idleTimeoutMs,
        handshakeTimeout: requestTimeoutMs,
      },
      (request, response) => {
        this.#serve(request, response)
      },
    )
    this.#server.maxConnections = connectionsMax
    this.#server.timeout = idleTimeoutMs
    this.#server.on('tlsClientError', (error) => {
      options.log.debug('a handshake at the webhook failed', { error: errorText(error) })
    })
  }

  /** New connections see it. Throws when OpenSSL refuses it. */
  useCertificate({ certificatePem, keyPem }: ServingCertificate): void {
    this.#server.setSecureContext({ cert: certificatePem, key: keyPem, minVersion: 'TLSv1.2' })
  }

  /** Rejects when the port cannot be listened on. Gives the port. */
  async listen(port: number, address?: string): Promise<number> {
    return await listenOn(this.#server, { port, ...(address !== undefined && { host: address }) })
  }

  async close(): Promise<void> {
    await closeAtOnce(this.#server)
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const startedMs = this.#options.now()
    const refuse = (status: number, message: string): void => {
      this.#options.count('malformed', this.#options.now() - startedMs)
      // What is still to come is not waited for.
      response.shouldKeepAlive = false
      send(response, status, 'text/plain; charset=utf-8', `${message}\n`)
    }
    if (request.method !== 'POST') {
      refuse(405, 'only POST of an AdmissionReview')
    } else if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      refuse(415, 'the body must be application/json')
    } else if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) {
      refuse(413, `the body is longer than ${bodyBytesMax} bytes`)
    } else if (this.#receiving >= receivingMax) {
      refuse(503, 'too many reviews at once')
    } else {
      this.#receive(request, refuse, (text) => {
        this.#answer(text, { request, response, startedMs, refuse })
      })
    }
  }

  #receive(
    request: IncomingMessage,
    refuse: (status: number, message: string) => void,
    onBody: (text: string) => void,
  ): void {
    const pieces: Buffer[] = []
    let bytes = 0
    this.#receiving++
    let open = true
    const end = (): boolean => {
      const first = open
      if (open) this.#receiving--
      open = false
      return first
    }
    request.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= bodyBytesMax) pieces.push(piece)
      else if (end()) refuse(413, `the body is longer than ${bodyBytesMax} bytes`)
    })
    request.on('end', () => {
      if (end()) onBody(Buffer.concat(pieces, bytes).toString('utf8'))
    })
    request.on('close', end)
    request.on('error', end)
  }

  #answer(text: string, { request, response, startedMs, refuse }: Received): void {
    const { reviewer, now, count } = this.#options
    const review = readReview(text)
    if (typeof review === 'string') {
      refuse(400, review)
      return
    }
    const late = now() - startedMs > deadlineMs(request.url ?? '') - reserveMs
    const { answer, outcome } = late
      ? { answer: uncheckedAnswer(review.uid, 'it is busy'), outcome: 'unchecked' as const }
      : reviewer.answer(review)
    count(outcome, now() - startedMs)
    send(response, 200, 'application/json', reviewText(answer))
  }
}

interface Received {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly startedMs: number
  readonly refuse: (status: number, message: string) => void
}

/** The API server says in the URL how long it waits, e.g. `?timeout=10s`. */
function deadlineMs(url: string): number {
  const [, seconds] = /[?&]timeout=(\d{1,3})s(?:&|$)/.exec(url) ?? []
  return seconds === undefined ? deadlineMsPreset : Math.min(deadlineMsMax, Number(seconds) * 1000)
}

// oxlint-disable-next-line max-params -- the parts of an answer
function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...(status === 405 && { Allow: 'POST' }),
  })
  response.end(body)
}

import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { PlannedRequest } from './planned-request.ts'

/** What a controller answered. */
export interface Seen {
  /** 0: no answer, and `error` says why. */
  readonly status: number
  readonly error: string
  /** Names in lower case; the values of a name that repeats. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  /** The beginning of it. */
  readonly body: string
}

/** One of the two controllers. */
export interface Controller {
  readonly url: URL
  ask(request: PlannedRequest): Promise<Seen>
  close(): void
}

/** How a controller is asked. */
export interface Asking {
  /** At most, at once. */
  readonly connections: number
  readonly timeoutMs: number
  /** Flat [name, value, …]: they go with every request and are never shown, for they may be secret. */
  readonly extraFields: readonly string[]
}

/** Of URLs that name none. */
export const defaultPorts: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 }

const bodyBytesMax = 1024 * 1024

/**
 * Sends requests to the address of a URL, with Host and SNI of their own. Certificates are not
 * verified: what is compared is often not in any DNS yet. Never rejects.
 */
export function createController(
  url: URL,
  { connections, timeoutMs, extraFields }: Asking,
): Controller {
  const secure = url.protocol === 'https:'
  const keep = { keepAlive: true, maxSockets: connections }
  const agent = secure ? new HttpsAgent(keep) : new HttpAgent(keep)
  const send = secure ? httpsRequest : httpRequest
  const base = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || defaultPorts[url.protocol]),
    agent,
  }
  return {
    url,
    close: () => {
      agent.destroy()
    },
    ask: async ({ method, host, target, fields }) =>
      await new Promise<Seen>((resolve) => {
        const name = host.replace(/:\d+$/, '')
        const options: RequestOptions & { servername?: string; rejectUnauthorized: boolean } = {
          ...base,
          method,
          path: target,
          headers: ['Host', host, 'Accept', '*/*', ...fields, ...extraFields],
          signal: AbortSignal.timeout(timeoutMs),
          rejectUnauthorized: false,
          servername: isIP(name) === 0 ? name : '',
        }
        const fail = (error: NodeJS.ErrnoException): void => {
          const late = error.name === 'TimeoutError' || error.name === 'AbortError'
          resolve(unanswered(late ? 'timeout' : (error.code ?? 'failed')))
        }
        let heard = false
        try {
          const asked = send(options, (response) => {
            heard = true
            collect(response, resolve, fail)
          })
          asked.on('error', fail)
          // Nobody asked for it; without a listener Node says nothing more of such a request.
          asked.on('upgrade', (response, socket) => {
            socket.destroy()
            resolve(seenOf(response, ''))
          })
          asked.on('close', () => {
            if (!heard) resolve(unanswered('closed'))
          })
          asked.end()
        } catch (error) {
          fail(error as NodeJS.ErrnoException)
        }
      }),
  }
}

function unanswered(error: string): Seen {
  return { status: 0, error, fields: {}, body: '' }
}

function seenOf({ statusCode: status = 0, headersDistinct }: IncomingMessage, body: string): Seen {
  return { status, error: '', fields: { ...headersDistinct } as Seen['fields'], body }
}

function collect(
  response: IncomingMessage,
  resolve: (seen: Seen) => void,
  fail: (error: NodeJS.ErrnoException) => void,
): void {
  const chunks: Buffer[] = []
  let bytes = 0
  const done = (): void => {
    resolve(seenOf(response, Buffer.concat(chunks).toString('utf8', 0, bodyBytesMax)))
  }
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes < bodyBytesMax) return
    // Enough to tell; the rest is not worth its way.
    done()
    response.destroy()
  })
  response.on('end', done)
  response.on('error', fail)
}

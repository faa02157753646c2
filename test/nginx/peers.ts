import { createServer, request } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { ComparedRequest, UpstreamWish } from './comparison.ts'

/** A request as the upstream saw it. */
export interface Seen {
  readonly method: string
  readonly target: string
  readonly version: string
  readonly fields: IncomingHttpHeaders
  readonly bodyBytes: number
}

/** An upstream that does what requests ask of it, and remembers them by their `X-Case`. */
export class EchoUpstream {
  readonly seen = new Map<string, Seen>()
  port = 0

  static async start(t: TestContext): Promise<EchoUpstream> {
    const upstream = new EchoUpstream()
    const server = createServer((asked, answer) => {
      upstream.#answer(asked, answer)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    upstream.port = (server.address() as AddressInfo).port
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    return upstream
  }

  #answer(asked: IncomingMessage, answer: ServerResponse): void {
    const { url = '', method = '', headers, httpVersion } = asked
    let bodyBytes = 0
    asked.on('data', (chunk: Buffer) => (bodyBytes += chunk.length))
    asked.on('end', () => {
      const auth = /^\/auth\/(\d+)/.exec(url)
      if (auth !== null) {
        answer.writeHead(Number(auth[1]), {
          'X-User': 'alice',
          'WWW-Authenticate': 'Basic realm="a"',
        })
        answer.end()
        return
      }
      this.seen.set(String(headers['x-case']), {
        method,
        target: url,
        version: httpVersion,
        fields: headers,
        bodyBytes,
      })
      const wish = JSON.parse(String(headers['x-wish'] ?? '{}')) as UpstreamWish
      const end = (): void => {
        answer.writeHead(wish.status ?? 200, {
          'Content-Type': 'text/plain',
          'Set-Cookie': 'sid=1; Path=/',
          ...wish.fields,
        })
        answer.end('hello\n')
      }
      if (wish.waitMs === undefined) end()
      else setTimeout(end, wish.waitMs)
    })
  }
}

/** An answer as the client saw it; status 0: the connection ended without one. */
export interface Got {
  readonly status: number
  readonly fields: IncomingHttpHeaders
  readonly body: string
}

/** Sends a request to a proxy. */
export async function ask(
  port: number,
  host: string,
  id: string,
  { method = 'GET', target = '/', fields = {}, body, upstream }: ComparedRequest,
): Promise<Got> {
  return await new Promise((resolve) => {
    const headers = {
      Host: host,
      'X-Case': id,
      ...(upstream !== undefined && { 'X-Wish': JSON.stringify(upstream) }),
      ...(body !== undefined &&
        fields['Transfer-Encoding'] === undefined && { 'Content-Length': String(body.length) }),
      ...fields,
    }
    const options = { host: '127.0.0.1', port, method, path: target, headers, agent: false }
    const asked = request(options, (answer) => {
      let text = ''
      answer.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
      answer.on('error', () => {
        resolve({ status: 0, fields: {}, body: '' })
      })
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, fields: answer.headers, body: text })
      })
    })
    asked.on('error', () => {
      resolve({ status: 0, fields: {}, body: '' })
    })
    asked.end(body)
  })
}

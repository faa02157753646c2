import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import {
  createServer as createHttp2Server,
  createSecureServer as createSecureHttp2Server,
} from 'node:http2'
import type { Http2Server } from 'node:http2'
import { createServer as createSecureServer } from 'node:https'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { freePorts } from '#test/commands/instance.ts'
import { issued } from './certificates.ts'
import { gathered } from './client.ts'
import type { UpstreamWish } from './comparison.ts'

/** A request as an upstream saw it. */
export interface Seen {
  readonly endpoint: string
  readonly method: string
  readonly target: string
  readonly version: string
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
  /** Of a connection with TLS: the server's name, suite, version, and the client's name. */
  readonly tls: string
}

/** Upstreams that do what requests ask of them, and remember these by their `X-Case`. */
export class Upstreams {
  readonly #seen = new Map<string, Seen[]>()
  readonly #tries = new Map<string, number>()
  /** Ports by name. */
  readonly ports: Record<string, number> = {}

  static async start(t: TestContext): Promise<Upstreams> {
    const all = new Upstreams()
    for (const name of ['echo', 'second', 'third', 'once', 'twice', 'sorry', 'mirror']) {
      all.ports[name] = await listen(t, createServer(all.#listener(name)))
    }
    const { upstream, deepUpstream, deeperUpstream, authority } = issued
    const secure = { key: upstream.keyPem, cert: upstream.certificatePem }
    const asking = {
      ...secure,
      ca: authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: false,
    }
    all.ports['secure'] = await listen(t, createSecureServer(asking, all.#listener('secure')))
    for (const [name, own] of Object.entries({ deep: deepUpstream, deeper: deeperUpstream })) {
      const pair = { key: own.keyPem, cert: own.certificatePem }
      all.ports[name] = await listen(t, createSecureServer(pair, all.#listener(name)))
    }
    // Their requests and responses have what the listener asks for.
    const listener = all.#listener('grpc') as (...given: unknown[]) => void
    all.ports['grpc'] = await listen(t, createHttp2Server(listener))
    all.ports['grpcs'] = await listen(t, createSecureHttp2Server(secure, listener))
    const [refusing = 0] = await freePorts(1)
    all.ports['refusing'] = refusing
    all.ports['silent'] = await startSilent(t)
    return all
  }

  /** What they saw of a case's request, in the order of their names. */
  seen(id: string): readonly Seen[] {
    return this.#seen.get(id) ?? []
  }

  #listener(endpoint: string): RequestListener {
    return (asked, answer) => {
      const { method = '', url = '', httpVersion, rawHeaders, socket } = asked
      const fields = plainFields(gathered(rawHeaders))
      const wish = JSON.parse(fields['x-wish'] ?? '{}') as UpstreamWish
      const noted = {
        endpoint,
        method,
        target: url,
        version: httpVersion,
        fields,
        body: '',
        tls: tlsOf(socket as TLSSocket),
      }
      const id = fields['x-case'] ?? ''
      const list = this.#seen.get(id) ?? []
      this.#seen.set(id, list)
      list.push(noted)
      const auth = /^\/auth\/(\d+)/.exec(url)
      if (auth === null && wish.deaf === true) {
        asked.pause()
        return
      }
      let body = ''
      asked.setEncoding('latin1').on('data', (chunk: string) => (body += chunk))
      asked.on('end', () => {
        noted.body = body.length > 100 ? `${body.length} bytes` : body
        if (auth !== null) authenticate(Number(auth[1]), url, answer)
        else if (endpoint === 'sorry') apologise(fields, answer)
        else this.#answer(endpoint, asked, answer, wish)
      })
    }
  }

  #answer(
    endpoint: string,
    asked: IncomingMessage,
    answer: ServerResponse,
    wish: UpstreamWish,
  ): void {
    const id = String(asked.headers['x-case'])
    const tried = (this.#tries.get(id) ?? 0) + 1
    this.#tries.set(id, tried)
    const { fields = {} } = wish
    const due = tried > (wish.tries ?? Infinity) ? { fields } : wish
    if (due.hangUp === true) {
      asked.socket.destroy()
      return
    }
    const end = (): void => {
      answer.writeHead(due.status ?? 200, {
        'Content-Type': 'text/plain',
        'Set-Cookie': 'sid=1; Path=/',
        ...(single.has(endpoint) && { Connection: 'close' }),
        ...due.fields,
      } as Record<string, string>)
      for (const [name, value] of Object.entries(due.trailers ?? {})) {
        answer.addTrailers({ [name]: value })
      }
      answer.end(due.bodyBytes === undefined ? (due.body ?? 'hello\n') : filling(due.bodyBytes))
    }
    if (due.waitMs === undefined) end()
    else setTimeout(end, due.waitMs)
  }
}

/** The authority of HTTP/2 is Host; other pseudo-fields are told apart from fields. */
function plainFields(fields: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(fields).map(([name, text]) => [
    name === ':authority' ? 'host' : name,
    text,
  ])
  return Object.fromEntries(named.filter(([name]) => name?.startsWith(':') === false)) as Record<
    string,
    string
  >
}

/** Endpoints whose connections serve one request each. */
const single: ReadonlySet<string> = new Set(['once', 'twice'])

/** Text of a size, the same each time. */
function filling(bytes: number): string {
  return 'All work and no play makes Jack a dull boy.\n'.repeat(bytes / 44 + 1).slice(0, bytes)
}

/** An authentication service: the status of its path, and fields by its query. */
function authenticate(status: number, url: string, answer: ServerResponse): void {
  const query = new URL(url, 'http://a.example').searchParams
  answer.writeHead(status, {
    'X-User': 'alice',
    'WWW-Authenticate': 'Basic realm="a"',
    ...(query.has('cookie') && { 'Set-Cookie': 'auth=1' }),
    ...Object.fromEntries(
      query.getAll('field').map((field) => field.split(':').map(decodeURIComponent)),
    ),
  })
  answer.end('denied\n')
}

/** A default backend: a page that names the code it is for. */
function apologise(fields: Readonly<Record<string, string>>, answer: ServerResponse): void {
  const code = fields['x-code'] ?? ''
  answer.writeHead(Number(code) || 404, { 'Content-Type': 'text/plain', 'X-Sorry': code })
  answer.end(`sorry: ${code}\n`)
}

function tlsOf(socket: Partial<TLSSocket>): string {
  if (socket.encrypted !== true) return ''
  const secure = socket as TLSSocket
  const name = typeof secure.servername === 'string' ? secure.servername : 'no name'
  const client = secure.getPeerX509Certificate()?.subject ?? 'nobody'
  return `${name}, ${secure.getProtocol()}, ${secure.getCipher().name}, ${client}`
}

async function listen(t: TestContext, server: Server | Http2Server): Promise<number> {
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const listening = `require('node:net').createServer()
  .listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port) })`

/**
 * A port whose queue of connections is full and whose owner is stopped, so that the kernel drops what
 * else wants to connect: a try to do so hears nothing.
 */
async function startSilent(t: TestContext): Promise<number> {
  const owner = spawn(process.execPath, ['-e', listening], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => owner.kill('SIGKILL'))
  const port = await new Promise<number>((resolve) => {
    owner.stdout.once('data', (text: Buffer) => {
      resolve(Number(text.toString()))
    })
  })
  owner.kill('SIGSTOP')
  for (let i = 0; i < 3; i++) {
    const filler = connect(port, '127.0.0.1')
    filler.on('error', () => undefined)
    t.after(() => filler.destroy())
  }
  return port
}

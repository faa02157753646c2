import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { chatPage, shopPage } from './pages.ts'
import { echoWebSocket } from './websocket-echo.ts'

/** Not imported, as in the admin server. */
const { createServer } = process.getBuiltinModule('node:http')

/** The servers behind the demo: one for each endpoint, on loopback, each under a name of its own. */
export class Backends {
  readonly #servers: Server[] = []
  readonly #tunnels = new Set<Duplex>()

  /** Starts a server and gives the port that it got. */
  async start(name: string): Promise<number> {
    const server = createServer((request, response) => {
      answer(name, request, response)
    })
    server.on('upgrade', (request, socket, early) => {
      this.#tunnels.add(socket)
      socket.once('close', () => this.#tunnels.delete(socket))
      echoWebSocket(request, socket, early, `hello from ${name}; what you send comes back`)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#servers.push(server)
    return (server.address() as AddressInfo).port
  }

  /** Closes every server with the connections that it has. */
  async stop(): Promise<void> {
    for (const tunnel of this.#tunnels) tunnel.destroy()
    await Promise.all(
      this.#servers.map(async (server) => {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      }),
    )
  }
}

/** Says who answers, to what; the body of a request is read and counted. */
function answer(name: string, request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  request.on('end', () => {
    const { headers, method = '', url = '' } = request
    const page = headers.accept?.includes('text/html') === true ? pageOf(name) : undefined
    if (page !== undefined) {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end(page)
      return
    }
    const body = bytes === 0 ? '' : `, ${bytes} bytes`
    const seen = ['host', 'x-forwarded-proto', 'x-forwarded-for', 'x-request-id']
      .map((field) => `${field}: ${String(headers[field])}`)
      .join(', ')
    response.setHeader('Content-Type', 'text/plain; charset=utf-8')
    response.end(`${name} answers ${method} ${url}${body} (${seen})\n`)
  })
}

function pageOf(name: string): string | undefined {
  if (name.startsWith('chat')) return chatPage(name)
  return name.startsWith('web') ? shopPage(name) : undefined
}

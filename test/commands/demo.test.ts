import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { freePorts } from '#src/commands/demo/ports.ts'

const main = join(import.meta.dirname, '../../src/main.ts')

interface Answer {
  readonly status: number
  readonly fields: IncomingMessage['headers']
  readonly body: string
}

/** The demo as its user meets it: a process, its output, its ports, Ctrl-C. */
describe('demo', { timeout: 60_000 }, () => {
  let child: ChildProcess
  let output = ''
  let httpPort = 0
  let httpsPort = 0
  let adminPort = 0

  before(async () => {
    const { http, https, admin } = await freePorts({ http: 0, https: 0, admin: 0 })
    httpPort = http.port
    httpsPort = https.port
    adminPort = admin.port
    const ports = ['--http-port', httpPort, '--https-port', httpsPort, '--admin-port', adminPort]
    child = spawn(process.execPath, [main, 'demo', '--workers', '2', ...ports.map(String)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => {
        reject(new Error(`the demo ended with ${code}: ${output}`))
      })
      child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes('Ctrl-C')) resolve()
      })
    })
  })

  after(() => {
    child.kill('SIGKILL')
  })

  const get = async (host: string, path: string, options: RequestOptions = {}): Promise<Answer> =>
    await ask({ port: httpPort, path, headers: { Host: host }, ...options })

  /** Which servers answer `count` requests, with how many each. */
  const serversOf = async (count: number, path: string): Promise<Record<string, number>> => {
    const servers: Record<string, number> = {}
    for (let i = 0; i < count; i++) {
      const name = (await get('shop.localhost', path)).body.split(' ')[0] ?? ''
      servers[name] = (servers[name] ?? 0) + 1
    }
    return servers
  }

  test('two servers take turns', async () => {
    const { 'web-1': one = 0, 'web-2': two = 0, ...others } = await serversOf(20, '/')
    assert.deepEqual(others, {})
    // Each of the two workers takes turns of its own.
    assert.ok(Math.abs(one - two) <= 2, `${one} and ${two}`)
  })

  test('weights are kept', async () => {
    const { 'advice-1': one = 0, 'advice-2': two = 0 } = await serversOf(40, '/advice')
    assert.equal(one + two, 40)
    assert.ok(one >= 27 && one <= 33, `${one} and ${two}`)
  })

  test('all servers of the catalogue answer', async () => {
    assert.equal(Object.keys(await serversOf(60, '/catalogue')).length, 3)
  })

  test('the same words reach the same server, other words another', async () => {
    assert.equal(Object.keys(await serversOf(10, '/search?words=tea')).length, 1)
    const servers = new Set<string>()
    for (let i = 0; i < 30; i++) {
      for (const name of Object.keys(await serversOf(1, `/search?words=w${i}`))) servers.add(name)
    }
    assert.equal(servers.size, 3)
  })

  test('a client stays with its server', async () => {
    assert.equal(Object.keys(await serversOf(10, '/cart')).length, 1)
  })

  test('a body that is too large is refused, a small one arrives', async () => {
    assert.equal((await postCart(httpPort, 1025)).status, 413)
    assert.match((await postCart(httpPort, 1024)).body, /^cart-\d answers POST \/cart, 1024 bytes /)
  })

  test('plain HTTP is redirected, and the Secret certificate is served', async () => {
    const redirect = await get('account.localhost', '/me?x=1')
    assert.equal(redirect.status, 308)
    assert.equal(redirect.fields.location, 'https://account.localhost/me?x=1')
    const request = requestHttps({
      port: httpsPort,
      path: '/me',
      headers: { Host: 'account.localhost' },
      servername: 'account.localhost',
      rejectUnauthorized: false,
      agent: false,
    })
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const certificate = (response.socket as TLSSocket).getPeerX509Certificate()
    assert.equal(certificate?.subjectAltName, 'DNS:account.localhost')
    assert.match(await bodyOf(response), /^account-1 answers GET \/me .*x-forwarded-proto: https/)
  })

  test('a WebSocket passes in both directions', async () => {
    const socket = await openChat(httpPort)
    const greeting = 'hello from chat-1; what you send comes back'
    await socket.receives(greeting)
    socket.send('over and back')
    await socket.receives('over and back')
    socket.destroy()
  })

  test('a host without a rule is 404', async () => {
    assert.equal((await get('nobody.localhost', '/')).status, 404)
  })

  test('the demo has nothing to complain about', async () => {
    const { body } = await ask({ port: adminPort, path: '/api/diagnostics' })
    assert.deepEqual(JSON.parse(body), [])
  })

  test('Ctrl-C ends it in order, with a client still connected', async () => {
    await openChat(httpPort)
    child.removeAllListeners('exit')
    child.kill('SIGINT')
    const [code] = (await once(child, 'exit')) as [number | null]
    assert.equal(code, 0, output)
    const folder = /^The manifests are in (.*)$/m.exec(output)?.[1]
    assert.ok(folder !== undefined && !existsSync(folder), `${folder} is left`)
  })
})

async function postCart(port: number, bytes: number): Promise<Answer> {
  const headers = { Host: 'shop.localhost' }
  return await ask({ port, path: '/cart', method: 'POST', headers }, 'x'.repeat(bytes))
}

interface Chat {
  send(text: string): void
  /** Waits for a text message; fails on another. */
  receives(text: string): Promise<void>
  destroy(): void
}

/** Opens a WebSocket at the chat host, whose name this machine need not know. */
async function openChat(port: number): Promise<Chat> {
  const request = requestHttp({
    host: '127.0.0.1',
    port,
    headers: {
      Host: 'chat.localhost',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  })
  request.end()
  const [response, socket, early] = (await once(request, 'upgrade')) as [
    IncomingMessage,
    Socket,
    Buffer,
  ]
  // The example of RFC 6455 1.3.
  assert.equal(response.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  // The demo cuts it when its time to drain is over.
  socket.on('error', () => socket.destroy())
  socket.unshift(early)
  return {
    send(text) {
      const masked = Buffer.from(text).map((byte) => byte ^ 0x55)
      const head = [0x81, 0x80 | masked.length, 0x55, 0x55, 0x55, 0x55]
      socket.write(Buffer.concat([Buffer.from(head), masked]))
    },
    async receives(text) {
      const wanted = Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)])
      let bytes = socket.read(wanted.length) as Buffer | null
      while (bytes === null) {
        await once(socket, 'readable')
        bytes = socket.read(wanted.length) as Buffer | null
      }
      assert.deepEqual(bytes, wanted)
    },
    destroy: () => socket.destroy(),
  }
}

async function ask(options: RequestOptions, body = ''): Promise<Answer> {
  const request = requestHttp({ host: '127.0.0.1', agent: false, ...options })
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return {
    status: response.statusCode ?? 0,
    fields: response.headers,
    body: await bodyOf(response),
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of response) body += String(chunk)
  return body
}

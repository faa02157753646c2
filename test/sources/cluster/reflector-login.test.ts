import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'
import { answerStatus } from '#test/support/api-server.ts'
import type { Asked, ScriptedApiServer } from '#test/support/api-server.ts'
import { create, put, shown, start, three } from './reflector-setting.ts'

// What happens to a mirror while the ways to log in change: it keeps its view, and goes on without a list.

const limits = { timeout: 30_000 }

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-login-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

const tokenOf = ({ request }: Asked): string => request.headers.authorization ?? ''

/** Takes one token, and answers 401 to whoever comes with another. */
function accept(server: ScriptedApiServer, accepted: { token: string }): void {
  server.intercept = (asked) => {
    if (tokenOf(asked) === `Bearer ${accepted.token}`) return false
    answerStatus(asked, 401, 'Unauthorized', 'who are you?')
    return true
  }
}

function threeFor(token: string): (server: ScriptedApiServer) => void {
  return (server) => {
    three(server)
    accept(server, { token })
  }
}

test(
  'a token that expires while a watch is on is read again, and nothing is listed anew',
  limits,
  async (t) => {
    const folder = folderOf(t)
    const tokenFile = join(folder, 'token')
    writeFileSync(tokenFile, 'one')
    const accepted = { token: 'one' }
    const prepare = (server: ScriptedApiServer): void => {
      three(server)
      accept(server, accepted)
    }
    const setting = await start(t, prepare, { user: { tokenFile } })
    const { server, counters, reflector, pass, until } = setting
    await until(() => server.openWatches.length === 1)

    // Rotated in time: whoever asked with the old one asks again at once.
    writeFileSync(tokenFile, 'two')
    accepted.token = 'two'
    put(server, 'a', '2')
    server.endWatches()
    await pass(50, () => shown(setting) === 'a2 b1 c1')
    assert.equal(counters.errors.unauthorized, 0)

    // Too late: 401 until the file has the new one.
    accepted.token = 'three'
    server.endWatches()
    await pass(500, () => counters.errors.unauthorized >= 3)
    assert.match(String(reflector.trouble?.error), /401 who are you\?/)
    assert.equal(reflector.trouble?.refused, false)
    put(server, 'b', '3')
    writeFileSync(tokenFile, 'three')
    await pass(500, () => shown(setting) === 'a2 b3 c1')
    assert.deepEqual([counters.lists, reflector.trouble], [1, undefined])
  },
)

test('a token file that is gone for a while is trouble that says so', limits, async (t) => {
  const folder = folderOf(t)
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'one')
  const setting = await start(t, threeFor('one'), { user: { tokenFile } })
  const { server, counters, reflector, pass, until, time } = setting
  await until(() => server.openWatches.length === 1)
  rmSync(tokenFile)
  // What was read is good for half a minute.
  time.advance(31_000)
  // KubeConfig keeps tokens for a minute of its own; a refusal ends that.
  accept(server, { token: 'two' })
  server.endWatches()
  await pass(500, () => counters.errors.unauthorized >= 2)
  await pass(500, () => /ENOENT/.test(String(reflector.trouble?.error)))
  writeFileSync(tokenFile, 'two')
  await pass(500, () => reflector.trouble === undefined)
  assert.equal(counters.lists, 1)
})

test('a plugin that fails, then works: trouble says why, and the view comes', limits, async (t) => {
  const plugin = join(folderOf(t), 'login')
  const become = (text: string): void => {
    writeFileSync(plugin, `#!/bin/sh\n${text}\n`)
    chmodSync(plugin, 0o755)
  }
  become('echo "no network" >&2; exit 1')
  const apiVersion = 'client.authentication.k8s.io/v1'
  const user = { exec: { apiVersion, command: plugin } }
  const setting = await create(t, threeFor('given'), { user })
  const { server, counters, reflector, pass } = setting
  reflector.start()
  await pass(100, () => reflector.trouble !== undefined)
  assert.match(
    String(reflector.trouble?.error),
    /no login: exec plugin login ended with code 1: no network$/,
  )
  assert.deepEqual([server.requests.length, counters.errors.unauthorized], [0, 1])
  become(`echo '{"apiVersion":"${apiVersion}","kind":"ExecCredential","status":{"token":"given"}}'`)
  await pass(100, () => reflector.synced)
  assert.equal(shown(setting), 'a1 b1 c1')
})

const dayMs = 86_400_000
const pairOf = async (name: string) =>
  await createSelfSignedCertificate({
    commonName: name,
    names: [name],
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
  })

test('a client certificate that rotates on disk is used by the next watch', limits, async (t) => {
  const [own, first, second] = await Promise.all(['localhost', 'one', 'two'].map(pairOf))
  assert.ok(own && first && second)
  const folder = folderOf(t)
  const write = ({ certificatePem, keyPem }: typeof own): void => {
    writeFileSync(join(folder, 'client.pem'), certificatePem)
    writeFileSync(join(folder, 'client.key'), keyPem)
  }
  write(first)
  writeFileSync(join(folder, 'ca.pem'), own.certificatePem)
  const seen: string[] = []
  const setting = await start(
    t,
    (server) => {
      three(server)
      server.intercept = ({ request }) => {
        seen.push((request.socket as TLSSocket).getPeerX509Certificate()?.subject ?? '')
        return false
      }
    },
    {
      tls: { cert: own.certificatePem, key: own.keyPem },
      cluster: { 'certificate-authority': join(folder, 'ca.pem') },
      user: {
        'client-certificate': join(folder, 'client.pem'),
        'client-key': join(folder, 'client.key'),
      },
    },
  )
  const { server, counters, pass, until, time } = setting
  await until(() => server.openWatches.length === 1)
  write(second)
  // Files are looked at every half a minute; a watch that is on stays.
  time.advance(31_000)
  put(server, 'a', '2')
  await until(() => setting.view.get('a') === '2')
  server.endWatches()
  await until(() => server.openWatches.length === 0)
  put(server, 'b', '2')
  await pass(50, () => shown(setting) === 'a2 b2 c1')
  assert.deepEqual(seen, ['CN=one', 'CN=two'])
  assert.equal(counters.lists, 1)
})

test(
  'an authority that rotates on disk is taken; before that the line names the field',
  limits,
  async (t) => {
    const [own, other] = await Promise.all(['localhost', 'localhost'].map(pairOf))
    assert.ok(own && other)
    const authority = join(folderOf(t), 'ca.pem')
    writeFileSync(authority, other.certificatePem)
    const setting = await create(t, three, {
      tls: { cert: own.certificatePem, key: own.keyPem },
      cluster: { 'certificate-authority': authority },
    })
    const { server, counters, reflector, pass } = setting
    reflector.start()
    await pass(1000, () => counters.errors.unreachable >= 3)
    assert.match(
      String(reflector.trouble?.error),
      /its certificate is not signed by certificate-authority \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/,
    )
    assert.equal(server.requests.length, 0)
    writeFileSync(authority, own.certificatePem)
    await pass(1000, () => reflector.synced)
  },
)

/** An HTTP proxy that makes tunnels, and can cut them. */
async function startProxy(t: TestContext) {
  const tunnels: string[] = []
  const sockets = new Set<Socket>()
  const proxy = createServer()
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    tunnels.push(request.url ?? '')
    const port = Number((request.url ?? '').split(':')[1])
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [socket, upstream]) {
      sockets.add(end)
      end.on('error', () => end.destroy())
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    cut()
    proxy.close()
  })
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, tunnels, cut }
}

test(
  'through proxy-url: a proxy that cuts its tunnels is a watch that is resumed',
  limits,
  async (t) => {
    const own = await pairOf('localhost')
    const proxy = await startProxy(t)
    const authority = Buffer.from(own.certificatePem).toString('base64')
    const setting = await start(t, three, {
      tls: { cert: own.certificatePem, key: own.keyPem },
      cluster: { 'certificate-authority-data': authority, 'proxy-url': proxy.url },
    })
    const { server, counters, pass, until } = setting
    await until(() => server.openWatches.length === 1)
    proxy.cut()
    await until(() => server.openWatches.length === 0)
    put(server, 'a', '2')
    await pass(50, () => shown(setting) === 'a2 b1 c1')
    assert.deepEqual([counters.lists, counters.errors.unreachable], [1, 1])
    assert.ok(proxy.tunnels.length >= 2)
    assert.ok(proxy.tunnels.every((tunnel) => tunnel === new URL(server.url).host))
  },
)

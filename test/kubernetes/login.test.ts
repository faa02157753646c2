import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import {
  answer,
  base64,
  clientOf,
  clientPair,
  connected,
  failureOf,
  folderOf,
} from './api-setting.ts'
import { listen, nextPair, startServer, writeConfig } from './api-setting.ts'

const limits = { timeout: 30_000 }

const userOf = ({ certificatePem, keyPem }: typeof clientPair) => ({
  'client-certificate-data': base64(certificatePem),
  'client-key-data': base64(keyPem),
})

test(
  'a client certificate logs in, and a renewed one is used after a refusal',
  limits,
  async (t) => {
    const expected = { fingerprint: '' }
    const port = await startServer(t, (request, response) => {
      const peer = (request.socket as TLSSocket).getPeerX509Certificate()
      const known = peer?.toString() === expected.fingerprint
      answer(response, known ? 200 : 401, { kind: 'Status', message: 'who are you?' })
    })
    const folder = folderOf(t)
    const file = writeConfig(folder, { port, user: userOf(clientPair) })
    expected.fingerprint = `${clientPair.certificatePem.trim()}\n`
    const client = await clientOf(t, file)
    await client.request({ method: 'GET', path: '/x' })
    expected.fingerprint = `${nextPair.certificatePem.trim()}\n`
    writeConfig(folder, { port, user: userOf(nextPair) })
    await client.request({ method: 'GET', path: '/x' })
  },
)

test(
  'a token that rotates on disk is read again: by age, or at once when refused',
  limits,
  async (t) => {
    const accepted = { token: 'one' }
    const seen: string[] = []
    const port = await startServer(t, ({ headers }, response) => {
      const given = headers.authorization ?? ''
      seen.push(given)
      answer(response, given === `Bearer ${accepted.token}` ? 200 : 401, {})
    })
    const folder = folderOf(t)
    const tokenFile = join(folder, 'token')
    writeFileSync(tokenFile, 'one\n')
    let now = 0
    const file = writeConfig(folder, { port, user: { tokenFile, token: 'stale' } })
    const client = await clientOf(t, file, () => now)
    const ask = () => client.request({ method: 'GET', path: '/x' })
    await ask()
    writeFileSync(tokenFile, 'two\n')
    accepted.token = 'two'
    await ask()
    assert.deepEqual(seen, ['Bearer one', 'Bearer one', 'Bearer two'])
    accepted.token = 'three'
    // Nothing on disk has changed, and it was looked at just now.
    assert.equal((await failureOf(ask())).status, 401)
    now += 2000
    writeFileSync(tokenFile, 'three\n')
    await ask()
    assert.equal(seen.at(-1), 'Bearer three')
  },
)

test('a plugin gives the token, and is told how it is called', limits, async (t) => {
  const folder = folderOf(t)
  const plugin = join(folder, 'login.mjs')
  const text = `#!${process.execPath}
const { apiVersion, spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO)
const token = [process.argv[2], process.env.WHO, spec.interactive].join('-')
console.log(JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token } }))
`
  writeFileSync(plugin, text)
  chmodSync(plugin, 0o755)
  const port = await startServer(t, ({ headers }, response) => {
    answer(response, 200, headers.authorization)
  })
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './login.mjs',
    args: ['a'],
    env: [{ name: 'WHO', value: 'me' }],
  }
  const client = await clientOf(t, writeConfig(folder, { port, user: { exec } }))
  assert.equal(await client.request({ method: 'GET', path: '/x' }), 'Bearer a-me-false')
})

test('a plugin is told of the cluster where it wants to be', limits, async (t) => {
  const folder = folderOf(t)
  const plugin = join(folder, 'login.mjs')
  const text = `#!${process.execPath}
const { apiVersion, spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO)
const { server, config } = spec.cluster
const authority = Buffer.from(spec.cluster['certificate-authority-data'], 'base64')
const token = [server, config.audience, String(authority).slice(0, 10)].join(' ')
console.log(JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token } }))
`
  writeFileSync(plugin, text)
  chmodSync(plugin, 0o755)
  const port = await startServer(t, ({ headers }, response) => {
    answer(response, 200, headers.authorization)
  })
  const exec = { command: './login.mjs', provideClusterInfo: true }
  const extension = { audience: 'us' }
  const cluster = { extensions: [{ name: 'client.authentication.k8s.io/exec', extension }] }
  const client = await clientOf(t, writeConfig(folder, { port, user: { exec }, cluster }))
  const told = `Bearer https://localhost:${port} us -----BEGIN`
  assert.equal(await client.request({ method: 'GET', path: '/x' }), told)
})

test('a plugin that fails is an error of one line', limits, async (t) => {
  const folder = folderOf(t)
  const plugin = join(folder, 'login.sh')
  writeFileSync(plugin, '#!/bin/sh\necho "no network" >&2\necho "at all" >&2\nexit 3\n')
  chmodSync(plugin, 0o755)
  const client = await clientOf(
    t,
    writeConfig(folder, { port: 1, user: { exec: { command: './login.sh' } } }),
  )
  const error = await failureOf(client.request({ method: 'GET', path: '/x' }))
  const said = 'exec plugin login.sh ended with code 3: no network at all'
  assert.equal(error.message, `GET /x: no login: ${said}`)
})

test('basic login and impersonation', limits, async (t) => {
  const client = await connected(
    t,
    ({ headers }, response) => {
      const { authorization, 'impersonate-user': user, 'impersonate-group': group } = headers
      answer(response, 200, [authorization, user, group])
    },
    { username: 'u', password: 'p', as: 'jane', 'as-groups': ['dev', 'ops'] },
  )
  assert.deepEqual(await client.request({ method: 'GET', path: '/x' }), [
    `Basic ${base64('u:p')}`,
    'jane',
    'dev, ops',
  ])
})

test('proxy-url: an HTTP proxy is asked for a tunnel', limits, async (t) => {
  const tunnels: string[] = []
  const proxy = createPlainServer()
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    tunnels.push(request.url ?? '')
    const [, port] = (request.url ?? '').split(':')
    const upstream = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [socket, upstream]) end.on('error', () => end.destroy())
  })
  const proxyPort = await listen(t, proxy)
  const port = await startServer(t, (_request, response) => {
    answer(response, 200, 'through')
  })
  const cluster = { 'proxy-url': `http://127.0.0.1:${proxyPort}` }
  const client = await clientOf(t, writeConfig(folderOf(t), { port, cluster }))
  assert.equal(await client.request({ method: 'GET', path: '/x' }), 'through')
  assert.deepEqual(tunnels, [`localhost:${port}`])
})

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { copyManifests, writeSecret } from '#src/commands/demo/manifests.ts'
import { call } from '#test/commands/call.ts'
import { ask, startServing, startUpstream, until } from '#test/commands/instance.ts'
import { WordsClient, startGrpcServer } from '#test/support/grpc-peers.ts'
import { issue } from '#test/transport/certificates.ts'

// Most tests run a process of their own; a limit makes a hang a failure.
const limits = { timeout: 60_000 }
const examples = join(import.meta.dirname, '../../deploy/examples')
const snippetFlags = ['--configmap=shop/headgate']

const folders = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

for (const name of folders) {
  test(`${name}: lint has nothing to say against it`, async () => {
    const flags = name === 'snippets' ? snippetFlags : []
    const { code, out } = await call('lint', '--strict', ...flags, join(examples, name))
    assert.equal(code, 0, out)
    assert.match(out, /, [1-9]\d* objects: 0 errors, 0 warnings/)
  })

  test(`${name}: stands in the list of examples`, () => {
    const list = readFileSync(join(examples, 'README.md'), 'utf8')
    assert.ok(list.includes(`| [${name}](${name}) |`))
  })
}

/** A copy of an example whose endpoints are servers of the test. */
async function copyExample(
  t: TestContext,
  name: string,
  startServer: (slice: string) => Promise<number>,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'))
  t.after(() => {
    rmSync(folder, { recursive: true })
  })
  await copyManifests(join(examples, name), folder, startServer)
  return folder
}

/** A server that says which slice it is of, and what it got in this field. */
async function startNamed(t: TestContext, slice: string, field = 'host'): Promise<number> {
  return await startUpstream(t, ({ headers }, response) => {
    response.end(`${slice} ${String(headers[field])}`)
  })
}

test('canary: header and weight choose', limits, async (t) => {
  const folder = await copyExample(t, 'canary', async (slice) => await startNamed(t, slice))
  const { ports } = await startServing(t, folder)
  const side = async (choice?: string): Promise<string> => {
    const chosen = choice === undefined ? {} : { 'X-Canary': choice }
    const { body } = await ask(ports.http, '/', { headers: { host: 'shop.localhost', ...chosen } })
    return body
  }
  assert.equal(await side('always'), 'web-next-1 shop.localhost')
  assert.equal(await side('never'), 'web-1 shop.localhost')
  const drawn: string[] = []
  for (let i = 0; i < 200; i++) drawn.push(await side())
  const canary = drawn.filter((body) => body.startsWith('web-next-1 ')).length
  // A fifth, give or take more than six standard deviations.
  assert.ok(canary >= 4 && canary <= 76, `${canary} of 200`)
})

test('blue-green: the annotation switches, and back', limits, async (t) => {
  const folder = await copyExample(t, 'blue-green', async (slice) => await startNamed(t, slice))
  const { ports } = await startServing(t, folder)
  const side = async (): Promise<string> =>
    (await ask(ports.http, '/', { headers: { host: 'shop.localhost' } })).body
  assert.equal(await side(), 'web-green-1 shop.localhost')
  const file = join(folder, 'blue-green.yaml')
  const text = readFileSync(file, 'utf8')
  const without = text.replace(/^ +annotations:\n +headgate\.dev\/active-service: web-green\n/m, '')
  assert.notEqual(without, text)
  writeFileSync(join(folder, 'next'), without)
  renameSync(join(folder, 'next'), file)
  await until(async () => (await side()) === 'web-1 shop.localhost')
})

test('client-certificates: who shows one of the CA gets in', limits, async (t) => {
  const folder = await copyExample(t, 'client-certificates', async (slice) => {
    return await startNamed(t, slice, 'ssl-client-subject-dn')
  })
  const [ca, site] = await Promise.all([
    issue({ commonName: 'Shop clients', ca: true }),
    issue({ commonName: 'account.localhost', names: ['account.localhost'] }),
  ])
  const [good, foreign] = await Promise.all([
    issue({ commonName: 'till-7', issuer: ca }),
    issue({ commonName: 'till-8' }),
  ])
  writeSecret(folder, { namespace: 'shop', name: 'account-tls' }, site)
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'client-ca', namespace: 'shop' },
    stringData: { 'ca.crt': ca.certificatePem },
  }
  writeFileSync(join(folder, 'client-ca.yaml'), stringify(secret))
  const { ports } = await startServing(t, folder)
  const answer = async (own?: typeof good): Promise<string> =>
    await askSecurely(ports.https, site.certificatePem, own)
  assert.equal(await answer(good), '200 account-1 CN=till-7')
  assert.match(await answer(), /^400 /)
  assert.match(await answer(foreign), /^400 /)
})

/** Status and body of / at account.localhost, whose certificate is checked. */
async function askSecurely(
  port: number,
  ca: string,
  own?: { readonly certificatePem: string; readonly keyPem: string },
): Promise<string> {
  const name = 'account.localhost'
  return await new Promise((resolve, reject) => {
    const asked = get(
      {
        host: '127.0.0.1',
        port,
        path: '/',
        agent: false,
        ca,
        servername: name,
        headers: { host: name },
        ...(own !== undefined && { cert: own.certificatePem, key: own.keyPem }),
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () => {
          resolve(`${response.statusCode} ${body}`)
        })
      },
    )
    asked.on('error', reject)
  })
}

test('grpc: calls reach the endpoint', limits, async (t) => {
  const folder = await copyExample(t, 'grpc', async () => {
    const { port, server } = await startGrpcServer()
    t.after(() => {
      server.forceShutdown()
    })
    return port
  })
  const { ports } = await startServing(t, folder)
  const client = new WordsClient(ports.http, undefined, {
    'grpc.default_authority': 'words.localhost',
  })
  t.after(() => {
    client.close()
  })
  const { code, messages } = await client.one('tea')
  assert.deepEqual([code, messages], [0, ['TEA']])
})

test('snippets: each line is in force', limits, async (t) => {
  const folder = await copyExample(t, 'snippets', async (slice) => {
    return await startNamed(t, slice, 'x-tenant')
  })
  const { ports } = await startServing(t, folder, snippetFlags)
  const headers = { host: 'shop.localhost', 'X-Tenant-Id': 'seven' }
  const answer = await ask(ports.http, '/', { headers })
  assert.deepEqual([answer.status, answer.body], [200, 'web-1 seven'])
  assert.equal(answer.headers['x-frame-options'], 'DENY')
  assert.equal((await ask(ports.http, '/', { headers, method: 'DELETE' })).status, 403)
  const ping = await ask(ports.http, '/ping', { headers })
  assert.deepEqual([ping.status, ping.body], [200, 'pong'])
})

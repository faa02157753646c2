import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import {
  ask as askPlainly,
  createFolder,
  freePorts,
  startServing,
  until,
} from '#test/commands/instance.ts'
import { snippetCorpus } from '#test/snippets/corpus.ts'
import type { SnippetCase } from '#test/snippets/snippet-case.ts'
import { comparisons } from './cases.ts'
import type { ComparedRequest, Comparison } from './comparison.ts'
import { ask, EchoUpstream } from './peers.ts'
import type { Got, Seen } from './peers.ts'
import { manifests, nginxConfiguration, users } from './sites.ts'
import type { Site } from './sites.ts'

// The same requests to nginx, configured as ingress-nginx would, and to Headgate with the annotation:
// both must answer alike, and the upstream must see the same. Needs nginx in the PATH.

/** Fields of answers that say who answered, and not what. */
const ownFields = new Set(
  'date server connection keep-alive content-length transfer-encoding etag content-type expires'.split(
    ' ',
  ),
)
/** Fields of requests that each proxy adds in its own way; ingress-nginx adds ours. */
const ownRequestFields =
  /^(?:connection|content-length|transfer-encoding|x-request-id|x-scheme|x-case|x-original-.*|x-forwarded-(?:for|host|port|proto|scheme))$/

/** The corpus of snippets, as far as plain nginx has their directives. */
const snippets = snippetCorpus.filter(({ plain }) => plain === true).map(comparisonOf)

function comparisonOf({
  name,
  key = 'configuration-snippet',
  text,
  requests,
}: SnippetCase): Comparison {
  const annotations = { [key]: text }
  const compared = (requests ?? [])
    .filter(({ client, scheme }) => client === undefined && scheme === undefined)
    .map(({ method = 'GET', target = '/', fields = {}, upstream = 200 }) => {
      return { method, target, fields, upstream: { status: upstream } }
    })
  return key === 'server-snippet'
    ? { key, name, annotations, server: text, requests: compared }
    : { key, name, annotations, location: text, requests: compared }
}

const sites: readonly Site[] = [...comparisons, ...snippets].map((comparison, i) => {
  const plain = comparison.key === 'server-alias' ? comparison.key : `case-${i}`
  return { host: `${plain}.example`, comparison }
})

await test('nginx and Headgate answer alike', async (t) => {
  const { upstream, ports } = await startAll(t)
  for (const { host, comparison } of sites) {
    const { key, name, requests } = comparison
    await t.test(`${key}: ${name}`, async () => {
      for (const [i, request] of requests.entries()) {
        const shown = `${request.method ?? 'GET'} ${request.target ?? '/'} (${i})`
        const [nginx, headgate] = [
          await measure(ports.nginx, host, `nginx ${host} ${i}`, request),
          await measure(ports.headgate, host, `headgate ${host} ${i}`, request),
        ]
        assert.deepEqual(
          headgate.map((got) => shape(got)),
          nginx.map((got) => shape(got)),
          `${shown}: what the client got`,
        )
        assert.deepEqual(
          seen(upstream, `headgate ${host} ${i}`),
          seen(upstream, `nginx ${host} ${i}`),
          `${shown}: what the upstream saw`,
        )
      }
    })
  }
})

async function startAll(t: TestContext) {
  const upstream = await EchoUpstream.start(t)
  const [nginxPort = 0] = await freePorts(1)
  const folder = createFolder(t, { users: `${users}\n` })
  const configuration = nginxConfiguration(sites, {
    listen: `127.0.0.1:${nginxPort}`,
    upstream: `127.0.0.1:${upstream.port}`,
    usersFile: join(folder, 'users'),
    folder,
  })
  writeFileSync(join(folder, 'nginx.conf'), configuration)
  const nginx = spawn(
    'nginx',
    ['-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'user root;'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  t.after(() => nginx.kill('SIGTERM'))
  const objects = createFolder(t, { 'all.yaml': manifests(sites, upstream.port) })
  const { ports } = await startServing(t, objects, ['--configmap=headgate/options'])
  await until(async () => {
    assert.equal(nginx.exitCode, null, 'nginx ended')
    return (await askPlainly(nginxPort, '/').catch(() => undefined)) !== undefined
  })
  return { upstream, ports: { nginx: nginxPort, headgate: ports.http } }
}

async function measure(
  port: number,
  own: string,
  id: string,
  request: ComparedRequest,
): Promise<readonly Got[]> {
  const { times = 1, atOnce = false } = request
  const host = request.host?.replace('@', own) ?? own
  if (atOnce) {
    const got = await Promise.all(
      Array.from({ length: times }, async () => await ask(port, host, id, request)),
    )
    // Which of them are refused is chance.
    return got.toSorted((a, b) => a.status - b.status)
  }
  const got: Got[] = []
  for (let i = 0; i < times; i++) got.push(await ask(port, host, id, request))
  return got
}

/** What must be alike in an answer. Bodies of errors are each proxy's own. */
function shape({ status, fields, body }: Got): object {
  const kept = Object.entries(fields).filter(([name]) => !ownFields.has(name))
  return {
    status,
    fields: Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    body: status === 200 ? body : '',
  }
}

function seen({ seen: all }: EchoUpstream, id: string): object | undefined {
  const found: Seen | undefined = all.get(id)
  if (found === undefined) return undefined
  const { method, target, version, fields, bodyBytes } = found
  const kept = Object.entries(fields).filter(([name]) => !ownRequestFields.test(name))
  return {
    method,
    target,
    version,
    bodyBytes,
    fields: Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

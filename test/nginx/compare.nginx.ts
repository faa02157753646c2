import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import {
  ask as askPlainly,
  createFolder,
  freePorts,
  startServing,
  until,
} from '#test/commands/instance.ts'
import { ask } from './client.ts'
import type { Got, ProxyPorts } from './client.ts'
import type { ComparedRequest, Comparison, Group } from './comparison.ts'
import { missingModule, nginxConfiguration } from './configuration.ts'
import type { Site } from './configuration.ts'
import { groups } from './groups/index.ts'
import { files, manifests } from './objects.ts'
import { Upstreams } from './peers.ts'
import { clientShape, upstreamShape, without } from './shapes.ts'
import type { Shape } from './shapes.ts'

// The same requests to nginx, configured as ingress-nginx would, and to Headgate with the annotation:
// both must answer alike, and the upstreams must see the same. Needs nginx in the PATH; cases with a
// module that is not installed are skipped.

for (const group of groups) {
  await test(`nginx and Headgate do alike: ${group.name}`, { concurrency: 4 }, async (t) => {
    const upstreams = await Upstreams.start(t)
    const sites = group.comparisons
      .filter((comparison) => missingModule(comparison) === undefined)
      .map((comparison, i) => ({ host: `${nameOf(comparison, i)}.example`, comparison }))
    const hosts = new Map(sites.map(({ host, comparison }) => [comparison, host]))
    const both = await startBoth(t, group, sites, upstreams)
    await Promise.all(
      group.comparisons.map(async (comparison) => {
        const { key, name } = comparison
        const host = hosts.get(comparison)
        const skip = host === undefined && `nginx has no ${missingModule(comparison)}`
        await t.test(`${key}: ${name}`, { skip }, async () => {
          await compare(upstreams, both, comparison, host ?? '')
        })
      }),
    )
    if (group.logs === true) await t.test('the access logs', async () => await compareLogs(both))
  })
}

function nameOf({ key }: Comparison, i: number): string {
  return key === 'server-alias' ? key : `case-${i}`
}

interface Both {
  readonly nginx: ProxyPorts
  readonly headgate: ProxyPorts
  /** The lines of their access logs so far. */
  readonly nginxLog: () => readonly string[]
  readonly headgateLog: () => readonly string[]
}

async function startBoth(
  t: TestContext,
  group: Group,
  sites: readonly Site[],
  upstreams: Upstreams,
): Promise<Both> {
  const [http = 0, https = 0] = await freePorts(2)
  const folder = createFolder(t, files)
  const places = { httpPort: http, httpsPort: https, folder, ports: upstreams.ports }
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration(group, sites, places))
  const nginx = spawn('nginx', ['-e', 'stderr', '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  t.after(async () => {
    nginx.kill()
    await until(() => nginx.exitCode !== null || nginx.signalCode !== null)
  })
  const objects = createFolder(t, { 'all.yaml': manifests(group, sites, upstreams.ports) })
  const { ports, program } = await startServing(t, objects, [
    '--configmap=headgate/options',
    '--default-ssl-certificate=test/server',
    '--workers=1',
    ...(group.defaultBackend === true ? ['--default-backend-service=test/sorry'] : []),
  ])
  await until(async () => {
    assert.equal(nginx.exitCode, null, 'nginx ended')
    return (await askPlainly(http, '/').catch(() => undefined)) !== undefined
  })
  const accessLog = join(folder, 'access.log')
  return {
    nginx: { http, https },
    headgate: ports,
    nginxLog: () => linesOf(existsSync(accessLog) ? readFileSync(accessLog, 'latin1') : ''),
    headgateLog: () => linesOf(program.stdout),
  }
}

/** Lines about requests of cases, by the case, whoever served them. The two are called by names of one length. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => /^(?:original|headgate) case-/.test(line))
  return lines.map((line) => line.replace(/^\w+ /, '')).toSorted()
}

/** A line is written when the request is over, which may be after its answer. */
async function compareLogs({ nginxLog, headgateLog }: Both): Promise<void> {
  for (let waited = 0; waited < 100 && headgateLog().length < nginxLog().length; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.ok(nginxLog().length > 0)
  assert.deepEqual(headgateLog(), nginxLog())
}

async function compare(
  upstreams: Upstreams,
  ports: Both,
  { key, requests, spread, apart }: Comparison,
  host: string,
): Promise<void> {
  let differs = false
  for (const [i, request] of requests.entries()) {
    const shown = `${key}: ${request.method ?? 'GET'} ${request.target ?? '/'} (${i})`
    const [nginxId, headgateId] = [`original ${host} ${i}`, `headgate ${host} ${i}`]
    const [nginx, headgate] = await Promise.all([
      measure(ports.nginx, host, nginxId, request),
      measure(ports.headgate, host, headgateId, request),
    ])
    const clientsOf = (got: readonly Got[], from: ProxyPorts): Shape[] =>
      got.map((one, at) => clientShape(one, from, nginx[at]))
    const upstreamsOf = (id: string, from: ProxyPorts): Shape[] =>
      upstreams.seen(id).map((seen) => upstreamShape(seen, from))
    const equal = (ours: Shape[], theirs: Shape[], what: string): void => {
      differs ||= !isDeepStrictEqual(ours, theirs)
      const left = apart?.fields ?? []
      assert.deepEqual(without(ours, left), without(theirs, left), `${shown}: ${what}`)
    }
    equal(clientsOf(headgate, ports.headgate), clientsOf(nginx, ports.nginx), 'what clients got')
    for (const [at, got] of headgate.entries()) {
      const ms = Math.abs(got.elapsedMs - (nginx[at]?.elapsedMs ?? Infinity))
      assert.ok(ms <= (request.withinMs ?? Infinity), `${shown}: ${ms} ms apart`)
    }
    if (spread === true) {
      assert.deepEqual(counts(upstreams, headgateId), counts(upstreams, nginxId), shown)
      continue
    }
    // Copies for a mirror may come later than the answer.
    const seen = (id: string): number => upstreams.seen(id).length
    for (let waited = 0; waited < 50 && seen(headgateId) !== seen(nginxId); waited++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    equal(
      upstreamsOf(headgateId, ports.headgate).toSorted(byText),
      upstreamsOf(nginxId, ports.nginx).toSorted(byText),
      'what upstreams saw',
    )
  }
  if (apart !== undefined) assert.ok(differs, `${key}: nothing is apart any more: ${apart.why}`)
}

function byText(a: Shape, b: Shape): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

/** How many requests each endpoint got, the fewest first. */
function counts(upstreams: Upstreams, id: string): number[] {
  const byEndpoint: Record<string, number> = {}
  for (const { endpoint } of upstreams.seen(id)) {
    byEndpoint[endpoint] = (byEndpoint[endpoint] ?? 0) + 1
  }
  return Object.values(byEndpoint).toSorted((a, b) => a - b)
}

async function measure(
  ports: ProxyPorts,
  own: string,
  id: string,
  request: ComparedRequest,
): Promise<readonly Got[]> {
  const { times = 1, atOnce = false } = request
  const host = request.host?.replace('@', own) ?? own
  if (atOnce) {
    const got = await Promise.all(
      Array.from({ length: times }, async () => await ask(ports, host, id, request)),
    )
    // Which of them are refused is chance.
    return got.toSorted((a, b) => a.status - b.status)
  }
  const got: Got[] = []
  for (let i = 0; i < times; i++) got.push(await ask(ports, host, id, request))
  return got
}

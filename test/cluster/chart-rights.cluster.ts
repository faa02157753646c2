import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import {
  Program,
  ask,
  createFolder,
  freePorts,
  until,
  untilReady,
} from '#test/commands/instance.ts'
import type { Ports } from '#test/commands/instance.ts'
import { chartFolder, helm, renderChart } from './support/chart.ts'
import { ClusterApi, manifestsOf } from './support/cluster-api.ts'
import { createDataFolder, launchControlPlane } from './support/control-plane.ts'
import { siteObjects } from './support/site-objects.ts'

interface Workload {
  readonly template: {
    readonly spec: { readonly containers: readonly [{ readonly args: readonly string[] }] }
  }
}

const secretTexts = {
  'admin-token': 'a token of the test',
  'session-key': 'a key of the test for cookies, long enough',
  'state-key': 'a key of the test, long',
}

/** The arguments of the rendered Deployment, but for what a process on this machine must have otherwise. */
async function argumentsOf(t: TestContext, sets: readonly string[], ports: Ports) {
  const objects = manifestsOf(await renderChart(sets))
  const { spec } = objects.find(({ kind }) => kind === 'Deployment') as { spec?: unknown }
  const [{ args }] = (spec as Workload).template.spec.containers
  const secrets = createFolder(t, secretTexts)
  const state = createFolder(t)
  const replaced = args.map((arg) =>
    arg
      .replace('/etc/headgate/secret', secrets)
      .replace('/var/lib/headgate', state)
      .replace('$(NODE_NAME)', 'node-1'),
  )
  const own = [`--http-port=${ports.http}`, `--https-port=${ports.https}`]
  own.push(`--admin-port=${ports.admin}`, '--bind-address=127.0.0.1', '--workers=1')
  own.push('--shutdown-grace-period=0s')
  const names = new Set(own.map((arg) => arg.slice(0, arg.indexOf('='))))
  return [...replaced.filter((arg) => !names.has(arg.slice(0, arg.indexOf('=')))), ...own]
}

async function startEndpoint(t: TestContext, address: string, text: string): Promise<void> {
  const server = createServer((_request, response) => response.end(text))
  await new Promise<void>((resolve) => server.listen(8080, address, resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
}

const scopedValues = join(import.meta.dirname, 'values/scoped.yaml')
const cases: readonly {
  readonly name: string
  readonly sets: readonly string[]
  readonly className: string
  /** Leads to shop/postgres. */
  readonly tcpPort?: number
}[] = [
  { name: 'all namespaces', sets: ['--set', 'replicaCount=1'], className: 'headgate' },
  {
    name: 'two namespaces, Roles alone',
    sets: ['--values', scopedValues],
    className: 'shop-and-blog',
    tcpPort: 5432,
  },
]

for (const { name, sets, className, tcpPort } of cases) {
  test(`the chart's rights and arguments are enough to serve, and restarts outlive the API server: ${name}`, async (t) => {
    const folder = createDataFolder(t)
    const cluster = await launchControlPlane({ folder })
    t.after(cluster.stop)
    const api = ClusterApi.ofKubeconfig(cluster.kubeconfig)
    t.after(async () => {
      await api.close()
    })
    for (const namespace of ['headgate', 'shop', 'blog']) await api.createNamespace(namespace)
    const flags = ['--namespace', 'headgate', '--kubeconfig', cluster.kubeconfig]
    const installed = await helm(['install', 'headgate', chartFolder, ...flags, ...sets])
    assert.equal(installed.code, 0, installed.stderr)
    await startEndpoint(t, '198.18.7.1', 'served')
    await startEndpoint(t, '198.18.7.2', 'tcp')
    const site = { namespace: 'shop', name: 'web', host: 'shop.example', port: 8080 }
    await api.apply(siteObjects({ ...site, addresses: ['198.18.7.1'], ingressClass: className }))
    const [, ...postgres] = siteObjects({ ...site, name: 'postgres', addresses: ['198.18.7.2'] })
    await api.apply(postgres)
    const kubeconfig = join(folder, 'account.kubeconfig')
    const account = api.withToken(await api.createToken('headgate', 'headgate'))
    account.writeKubeconfig(kubeconfig)
    await account.close()

    const [http = 0, https = 0, admin = 0] = await freePorts(3)
    const args = await argumentsOf(t, sets, { http, https, admin })
    const program = new Program(t, [...args, `--kubeconfig=${kubeconfig}`])
    await untilReady(program, admin)
    const served = async (): Promise<string> =>
      (await ask(http, '/', { headers: { host: site.host } })).body
    assert.equal(await served(), 'served')
    if (tcpPort !== undefined) assert.equal((await ask(tcpPort, '/')).body, 'tcp')
    const findings = JSON.parse((await ask(admin, '/api/diagnostics')).body) as {
      readonly code: string
    }[]
    // Without a right on IngressClasses the name of ours decides, and that is said.
    const others = findings.filter(({ code }) => !/class|configmap/.test(code))
    assert.deepEqual(others, [])
    await until(async () => (await ask(admin, '/metrics')).body.includes('headgate_leader 1'))
    await until(async () =>
      (await ask(admin, '/metrics')).body.includes('saves_total{result="success"} 1'),
    )
    assert.doesNotMatch(program.stderr, /forbidden|cannot (?:list|watch|get|create|update|patch)/)

    await cluster.stop()
    program.child.kill('SIGKILL')
    await program.ended
    const startedAt = performance.now()
    const again = new Program(t, [...args, `--kubeconfig=${kubeconfig}`])
    await untilReady(again, admin)
    const tookMs = performance.now() - startedAt
    assert.equal(await served(), 'served')
    assert.match((await ask(admin, '/metrics')).body, /^headgate_state_restored 1$/m)
    t.diagnostic(`ready ${Math.round(tookMs)} ms after the restart without an API server`)

    const back = await launchControlPlane({ folder, port: cluster.port })
    t.after(back.stop)
    await until(async () =>
      (await ask(admin, '/metrics')).body.includes('headgate_state_restored 0'),
    )
    assert.equal(await served(), 'served', again.stderr)
  })
}

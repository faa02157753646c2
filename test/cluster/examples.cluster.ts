import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Program, ask, freePorts, until, untilReady } from '#test/commands/instance.ts'
import { ClusterApi, manifestsOf } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'
import { createDataFolder, launchControlPlane } from './support/control-plane.ts'

// Every example is taken by a real API server as it stands, but for the addresses of its endpoints, and served from there.

const examples = join(import.meta.dirname, '../../deploy/examples')
const folders = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
const limits = { timeout: 120_000 }

/** What `/` of a host gives without TLS, where it is not an answer of the endpoint. */
const expected: Readonly<Record<string, number>> = {
  'demo account.localhost': 308,
  // Its CAs are a Secret that everybody makes for himself: without it the host stays closed.
  'client-certificates account.localhost': 403,
}

interface Slice extends Manifest {
  readonly ports: readonly { readonly port: number }[]
  readonly endpoints: readonly { readonly addresses: readonly string[] }[]
}

interface Ingress extends Manifest {
  readonly spec: { readonly rules?: readonly { readonly host?: string }[] }
}

/** The objects of an example; endpoints of this machine get an address that an API server takes. */
function objectsOf(name: string): Manifest[] {
  const folder = join(examples, name)
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => manifestsOf(readFileSync(join(folder, file), 'utf8')))
    .map((object) => JSON.parse(JSON.stringify(object).replaceAll('127.0.0.1', '198.18.9.1')))
}

/** A server that says nothing but that it was asked. */
async function startEndpoint(t: TestContext, name: string, place: string): Promise<void> {
  const [address, port] = place.split(' ')
  const server =
    name === 'grpc'
      ? createHttp2Server((_request, response) => {
          response.end('served')
        })
      : createServer((_request, response) => response.end('served'))
  await new Promise<void>((resolve) => server.listen(Number(port), address, resolve))
  t.after(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}

/** Addresses and ports that slices name. */
function placesOf(objects: readonly Manifest[]): Set<string> {
  const slices = objects.filter(({ kind }) => kind === 'EndpointSlice') as Slice[]
  return new Set(
    slices.flatMap(({ endpoints, ports }) =>
      endpoints.flatMap(({ addresses }) => ports.map(({ port }) => `${addresses[0]} ${port}`)),
    ),
  )
}

/** Hosts that Ingresses name, but for wildcards. */
function hostsOf(objects: readonly Manifest[]): Set<string> {
  const ingresses = objects.filter(({ kind }) => kind === 'Ingress') as Ingress[]
  const hosts = ingresses.flatMap(({ spec }) => (spec.rules ?? []).map(({ host = '' }) => host))
  return new Set(hosts.filter((host) => host !== '' && !host.startsWith('*')))
}

async function startServing(t: TestContext, name: string, kubeconfig: string): Promise<number> {
  const [http = 0, https = 0, admin = 0] = await freePorts(3)
  const program = new Program(
    t,
    [
      ['serve', `--kubeconfig=${kubeconfig}`, '--bind-address=127.0.0.1', '--workers=1'],
      [`--http-port=${http}`, `--https-port=${https}`, `--admin-port=${admin}`],
      name === 'snippets' ? ['--configmap=shop/headgate'] : [],
    ].flat(),
  )
  await untilReady(program, admin)
  return http
}

for (const name of folders) {
  test(`the example ${name} is taken by the API server, and served`, limits, async (t) => {
    const cluster = await launchControlPlane({ folder: createDataFolder(t) })
    t.after(cluster.stop)
    const api = ClusterApi.ofKubeconfig(cluster.kubeconfig)
    t.after(async () => {
      await api.close()
    })
    const objects = objectsOf(name)
    const namespaces = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []))
    for (const namespace of namespaces) await api.createNamespace(namespace)
    await api.apply(objects.filter(({ kind }) => kind !== 'Namespace'))
    for (const place of placesOf(objects)) await startEndpoint(t, name, place)
    const port = await startServing(t, name, cluster.kubeconfig)
    const hosts = hostsOf(objects)
    assert.ok(hosts.size > 0)
    for (const host of hosts) {
      const status = async (): Promise<number> =>
        (await ask(port, '/', { headers: { host } })).status
      const wanted = expected[`${name} ${host}`]
      // Anything that a missing route or endpoint would not give.
      await until(async () => {
        const found = await status()
        return wanted === undefined ? ![404, 421, 502, 503, 504].includes(found) : found === wanted
      })
    }
  })
}

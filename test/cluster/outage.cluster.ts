import assert from 'node:assert/strict'
import { Agent, createServer } from 'node:http'
import type { Server } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connect } from 'node:tls'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'
import { ask, freePorts, Program, until, untilReady } from '#test/commands/instance.ts'
import type { Ports } from '#test/commands/instance.ts'
import { ClusterApi } from './support/cluster-api.ts'
import { createDataFolder, launchControlPlane } from './support/control-plane.ts'
import { endpointSliceOf, siteObjects } from './support/site-objects.ts'

const site = {
  namespace: 'shop',
  name: 'web',
  host: 'web.example',
  addresses: ['198.18.4.1', '198.18.4.2'],
  port: 8080,
  annotations: { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' },
}
const rounds = 100

/** An endpoint that answers with its address, and can die. */
async function startEndpoint(t: TestContext, address: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(address))
  await new Promise<void>((resolve) => server.listen(site.port, address, resolve))
  t.after(() => {
    die(server)
  })
  return server
}

function die(server: Server): void {
  server.closeAllConnections()
  server.close()
}

async function startReplica(t: TestContext, kubeconfig: string, name: string) {
  const [http = 0, https = 0, admin = 0] = await freePorts(3)
  const program = new Program(
    t,
    [
      'serve',
      `--kubeconfig=${kubeconfig}`,
      `--http-port=${http}`,
      `--https-port=${https}`,
      `--admin-port=${admin}`,
      '--bind-address=127.0.0.1',
      '--workers=1',
      '--publish-status-address=192.0.2.10',
      '--election-namespace=shop',
    ],
    { environment: { POD_NAME: name, POD_NAMESPACE: 'shop' } },
  )
  await untilReady(program, admin)
  return { program, ports: { http, https, admin } }
}

async function bodyAt({ http }: Ports, agent?: Agent): Promise<string> {
  const headers = { host: site.host }
  const { status, body } = await ask(http, '/', { headers, ...(agent && { agent }) })
  return status === 200 ? body : String(status)
}

/** A new connection with a full handshake: the name in its certificate, and the status. */
async function overTls({ https: port }: Ports): Promise<string> {
  return await new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: site.host, rejectUnauthorized: false }
    const socket = connect(options, () => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${site.host}\r\nConnection: close\r\n\r\n`)
    })
    const subject = (): string => socket.getPeerX509Certificate()?.subject ?? ''
    let shown = ''
    socket.once('secureConnect', () => (shown = subject()))
    socket.once('data', (text: Buffer) => {
      resolve(`${shown} ${text.toString('latin1').split(' ', 2)[1]}`)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

async function secretWithCertificate(): Promise<string> {
  const dayMs = 86_400_000
  const { certificatePem, keyPem } = await createSelfSignedCertificate({
    commonName: site.host,
    names: [site.host],
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
  })
  const data = { 'tls.crt': certificatePem, 'tls.key': keyPem }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'web-tls', namespace: site.namespace },
    type: 'kubernetes.io/tls',
    stringData: data,
  })
}

async function metric({ admin }: Ports, name: string): Promise<number> {
  const { body } = await ask(admin, '/metrics')
  const line = body.split('\n').find((text) => text.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1))
}

test('the API server is gone: nobody who sends traffic notices, not even when an endpoint dies', async (t) => {
  const folder = createDataFolder(t)
  const first = await launchControlPlane({ folder })
  t.after(first.stop)
  const api = ClusterApi.ofKubeconfig(first.kubeconfig)
  t.after(async () => {
    await api.close()
  })
  const [one, two] = await Promise.all(site.addresses.map((address) => startEndpoint(t, address)))
  assert.ok(one && two)
  await api.createNamespace(site.namespace)
  const [ingress, ...others] = siteObjects(site)
  assert.ok(ingress)
  const tls = [{ hosts: [site.host], secretName: 'web-tls' }]
  const spec = { ...(ingress['spec'] as object), tls }
  await api.apply(await secretWithCertificate())
  await api.apply([
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'headgate' },
      spec: { controller: 'headgate.dev/ingress-controller' },
    },
    { ...ingress, spec },
    ...others,
  ])
  const replicas = [
    await startReplica(t, first.kubeconfig, 'pod-a'),
    await startReplica(t, first.kubeconfig, 'pod-b'),
  ]
  const kept = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => {
    kept.destroy()
  })
  for (const { ports } of replicas) {
    await until(async () => (await overTls(ports)) === `CN=${site.host} 200`)
    await bodyAt(ports, kept)
  }
  await until(async () => await someoneLeads(replicas.map(({ ports }) => ports)))

  await first.stop()
  for (const { ports } of replicas) {
    for (let i = 0; i < rounds; i++) {
      assert.match(await bodyAt(ports), /^198\.18\.4\.[12]$/)
      assert.match(await bodyAt(ports, kept), /^198\.18\.4\.[12]$/)
    }
    assert.equal(await overTls(ports), `CN=${site.host} 200`)
  }
  // Nobody can tell us that it is gone.
  die(one)
  for (const { ports } of replicas) {
    for (let i = 0; i < rounds; i++) assert.equal(await bodyAt(ports), '198.18.4.2')
    assert.equal(await overTls(ports), `CN=${site.host} 200`)
    // Whoever led does not any more; nobody writes what nobody can read.
    await until(async () => (await metric(ports, 'headgate_leader')) === 0)
    const { body } = await ask(ports.admin, '/api/diagnostics')
    assert.match(body, /cluster-unreachable/)
    assert.equal((await ask(ports.admin, '/readyz')).status, 200)
  }

  const second = await launchControlPlane({ folder, port: first.port })
  t.after(second.stop)
  await startEndpoint(t, '198.18.4.3')
  await api.apply([endpointSliceOf({ ...site, addresses: ['198.18.4.3'] })])
  for (const { ports, program } of replicas) {
    await until(async () => (await bodyAt(ports)) === '198.18.4.3')
    await until(async () => (await ask(ports.admin, '/api/diagnostics')).body.trim() === '[]')
    const said = program.stderr.match(/API server (?:does not answer|answers again)/g)
    assert.deepEqual(said, ['API server does not answer', 'API server answers again'])
  }
  await until(async () => await someoneLeads(replicas.map(({ ports }) => ports)))
})

async function someoneLeads(all: readonly Ports[]): Promise<boolean> {
  const leading = await Promise.all(all.map((ports) => metric(ports, 'headgate_leader')))
  return leading.reduce((sum, one) => sum + one, 0) === 1
}

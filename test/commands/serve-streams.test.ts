import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  ask,
  createFolder,
  freePorts,
  manifest,
  startServing,
  startUpstream,
  until,
} from './instance.ts'

// Every test runs a process of its own; a limit makes a hang a failure.
const limits = { timeout: 60_000 }

function portsOf(ports: Readonly<Record<number, string>>): string {
  const data = Object.entries(ports).map(([port, text]) => `  "${port}": ${text}\n`)
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: tcp, namespace: test }\ndata:\n${data.join('')}`
}

/** The status of a request to a port; 0: nobody listens there. */
async function statusAt(port: number): Promise<number> {
  const answer = await ask(port, '/').catch(() => undefined)
  return answer?.status ?? 0
}

test('TCP ports come and go with the ConfigMap, and cut no connection', limits, async (t) => {
  const upstream = await startUpstream(t, (_request, response) => response.end('here'))
  const [first = 0, second = 0] = await freePorts(2)
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const { port: foreign } = taken.address() as AddressInfo
  const folder = createFolder(t, {
    'web.yaml': manifest(
      'a.example',
      upstream,
      'nginx.ingress.kubernetes.io/ssl-passthrough: "true"',
    ),
    'tcp.yaml': portsOf({ [first]: 'test/web:80', [foreign]: 'test/web:80' }),
  })
  const flags = ['--tcp-services-configmap=test/tcp', '--enable-ssl-passthrough']
  const { program, ports } = await startServing(t, folder, flags)
  assert.match(program.stderr, new RegExp(`a port cannot be opened.*${foreign}`))
  assert.equal(await statusAt(first), 200)
  const findings = async (): Promise<object[]> =>
    JSON.parse((await ask(ports.admin, '/api/diagnostics')).body) as object[]
  await until(async () => (await findings()).length > 0)
  assert.partialDeepStrictEqual(await findings(), [
    {
      code: 'port-unavailable',
      severity: 'error',
      object: { kind: 'ConfigMap', namespace: 'test', name: 'tcp' },
      field: String(foreign),
    },
  ])
  await new Promise((resolve) => taken.close(resolve))
  await until(async () => (await findings()).length === 0)
  assert.equal(await statusAt(foreign), 200)

  const open = connect(first, '127.0.0.1')
  await once(open, 'connect')
  t.after(() => open.destroy())
  writeFileSync(
    join(folder, 'tcp.yaml'),
    portsOf({ [second]: 'test/web:http', [ports.http]: 'test/web:80' }),
  )
  await until(async () => (await statusAt(second)) === 200 && (await statusAt(first)) === 0)
  open.write('GET / HTTP/1.1\r\nHost: open\r\n\r\n')
  const [bytes] = (await once(open, 'data')) as [Buffer]
  assert.match(bytes.toString(), /^HTTP\/1\.1 200 /)

  await until(async () => (await findings()).length > 0)
  assert.partialDeepStrictEqual(await findings(), [
    { code: 'stream-invalid', field: String(ports.http), severity: 'error' },
  ])
  const routes = JSON.parse((await ask(ports.admin, '/api/routes')).body) as object[]
  assert.partialDeepStrictEqual(routes, [
    {
      host: `:${second}`,
      pathType: 'tcp',
      object: { kind: 'ConfigMap', namespace: 'test', name: 'tcp' },
      backends: [{ service: 'web', endpoints: { ready: 1 }, requestsInFlight: 1 }],
    },
    {
      host: 'a.example',
      pathType: 'tls-passthrough',
      object: { kind: 'Ingress', namespace: 'test', name: 'web' },
      backends: [{ service: 'web' }],
    },
    { host: 'a.example', path: '/' },
  ])
  const metrics = (await ask(ports.admin, '/metrics')).body
  assert.match(metrics, /headgate_connections_accepted_total\{protocol="tcp"\} [1-9]/)
})

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startOtlpCollector } from '#test/support/otlp-collector.ts'
import { ask, createFolder, manifest, startServing, startUpstream, until } from './instance.ts'

const configMap = (data: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'options', namespace: 'test' },
    data,
  })

test('spans reach a collector, those of the last requests too', { timeout: 60_000 }, async (t) => {
  const collector = await startOtlpCollector()
  t.after(() => {
    collector.stop()
  })
  const upstream = await startUpstream(t, (_, response) => {
    response.end('here')
  })
  const options = {
    'enable-opentelemetry': 'true',
    'otlp-collector-host': '127.0.0.1',
    'otlp-collector-port': String(collector.port),
    'otel-service-name': 'edge',
    'otel-max-export-batch-size': '2',
    'otel-schedule-delay-millis': '600000',
  }
  const folder = createFolder(t, {
    'web.yaml': manifest('web.test', upstream),
    'options.json': configMap(options),
  })
  const flags = ['--configmap=test/options', '--workers=1']
  const { ports, program } = await startServing(t, folder, flags)
  const get = async (path: string): Promise<void> => {
    const headers = { host: 'web.test' }
    assert.equal((await ask(ports.http, path, { headers })).status, 200)
  }
  await get('/0')
  await get('/1')
  await collector.received(2)
  await get('/2')
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
  assert.deepEqual(
    collector.spans.map(({ service, name, attributes }) => [service, name, attributes['url.path']]),
    ['/0', '/1', '/2'].map((path) => ['edge', 'GET /', path]),
  )
})

test('a collector that is away costs spans alone', { timeout: 60_000 }, async (t) => {
  const away = await startOtlpCollector()
  const { port } = away
  away.stop()
  const upstream = await startUpstream(t, (_, response) => {
    response.end('here')
  })
  const options = {
    'enable-opentelemetry': 'true',
    'otlp-collector-host': '127.0.0.1',
    'otlp-collector-port': String(port),
    'otel-max-export-batch-size': '1',
  }
  const folder = createFolder(t, {
    'web.yaml': manifest('web.test', upstream),
    'options.json': configMap(options),
  })
  const flags = ['--configmap=test/options', '--workers=1']
  const { ports, program } = await startServing(t, folder, flags)
  const headers = { host: 'web.test' }
  assert.equal((await ask(ports.http, '/', { headers })).status, 200)
  await until(() => program.stderr.includes('spans are lost'))
  // Switched off while it is away.
  writeFileSync(join(folder, 'options.json'), configMap({}))
  await until(async () => {
    const { body } = await ask(ports.http, '/', { headers })
    return body === 'here'
  })
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

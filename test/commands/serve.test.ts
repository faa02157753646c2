import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { renameSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseExposition } from '../observe/parse-exposition.ts'
import {
  Program,
  ask,
  createFolder,
  freePorts,
  manifest,
  startServing,
  startUpstream,
  until,
  untilReady,
} from './instance.ts'

// Every test runs a process of its own; a limit makes a hang a failure.
const limits = { timeout: 60_000 }
const toHost = { headers: { host: 'a.example' } }

test('a failed start is one line and exit code 1', limits, async (t) => {
  const folder = createFolder(t)
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const others = ['--https-port=0', '--admin-port=0', '--bind-address=127.0.0.1', '--workers=1']
  const cases: [string[], RegExp][] = [
    [
      [`--files=${folder}`, `--http-port=${port}`, ...others],
      /cannot listen on 127\.0\.0\.1:\d+ \(--http-port\): the port is in use/,
    ],
    [
      [
        `--files=${folder}`,
        '--http-port=0',
        `--admin-port=${port}`,
        '--https-port=0',
        '--workers=1',
      ],
      /\(--admin-port\): the port is in use/,
    ],
    [[`--files=${folder}/absent`, '--http-port=0', ...others], /--files cannot be read: .*absent/],
    [[`--files=${import.meta.filename}`, '--http-port=0', ...others], /--files must name a folder/],
    [
      [`--files=${folder}`, '--http-port=0', '--admin-token-file=/nonexistent', ...others],
      /--admin-token-file cannot be read/,
    ],
  ]
  await Promise.all(
    cases.map(async ([args, line]) => {
      const program = new Program(t, ['serve', ...args])
      assert.equal(await program.ended, 1, program.stderr)
      assert.match(program.stderr, line)
      assert.equal(program.stderr.trimEnd().split('\n').length, 1, program.stderr)
      assert.equal(program.stdout, '')
    }),
  )
})

test('a wrong call is one line and exit code 2', limits, async (t) => {
  const cases: [string[], RegExp][] = [
    [['serve', '--no-such-flag'], /unknown flag --no-such-flag/],
    [['serve', '--workers=none'], /--workers must be/],
    [['serve'], /nothing to serve: give --files or --kubeconfig/],
    [['serve', '--files=.', '--kubeconfig=config'], /--kubeconfig needs a cluster/],
    [
      ['serve', '--files=.', '--http-port=81', '--https-port=81'],
      /--http-port and --https-port are both 81/,
    ],
    [
      ['serve', '--files=.', '--udp-services-configmap=a/b'],
      /--udp-services-configmap is not built yet/,
    ],
    [['serve', 'x'], /unexpected argument "x"/],
    [['sevre'], /did you mean serve\?/],
  ]
  await Promise.all(
    cases.map(async ([args, line]) => {
      const program = new Program(t, args)
      assert.equal(await program.ended, 2, program.stderr)
      assert.match(program.stderr, line)
      assert.equal(program.stderr.trimEnd().split('\n').length, 1, program.stderr)
    }),
  )
})

test('flags come from the environment, and a flag wins', limits, async (t) => {
  const [http = 0, other = 0, admin = 0] = await freePorts(3)
  const program = new Program(t, ['serve', `--http-port=${http}`], {
    environment: {
      HEADGATE_FILES: createFolder(t),
      HEADGATE_HTTP_PORT: String(other),
      HEADGATE_HTTPS_PORT: '0',
      HEADGATE_ADMIN_PORT: String(admin),
      HEADGATE_BIND_ADDRESS: '127.0.0.1',
      HEADGATE_WORKERS: '1',
    },
  })
  await untilReady(program, admin)
  assert.equal((await ask(http, '/')).status, 404)
  await assert.rejects(ask(other, '/'))
})

test('serves a folder, follows its changes, and shows what it does', limits, async (t) => {
  const upstream = await startUpstream(t, (_, response) => response.end('one'))
  const other = await startUpstream(t, (_, response) => response.end('two'))
  const folder = createFolder(t, { 'web.yaml': manifest('a.example', upstream) })
  const { program, ports } = await startServing(t, folder)
  assert.equal((await ask(ports.http, '/x', toHost)).body, 'one')

  const annotation = 'nginx.ingress.kubernetes.io/proxy-body-sise: 1m'
  const next = join(folder, 'next')
  writeFileSync(next, manifest('a.example', other, annotation))
  renameSync(next, join(folder, 'web.yaml'))
  await until(async () => (await ask(ports.http, '/x', toHost)).body === 'two')

  const api = async (path: string): Promise<unknown> =>
    JSON.parse((await ask(ports.admin, path)).body)
  const status = (await api('/api/status')) as Record<string, unknown>
  assert.equal(status['ready'], true)
  assert.equal(status['table'], 2)
  assert.deepEqual(status['diagnostics'], { error: 1, warning: 0, info: 0 })
  const [finding = {}] = (await api('/api/diagnostics')) as Record<string, unknown>[]
  assert.deepEqual(finding['object'], { kind: 'Ingress', namespace: 'test', name: 'web' })
  assert.equal(finding['severity'], 'error')
  assert.equal(finding['field'], 'nginx.ingress.kubernetes.io/proxy-body-sise')
  assert.equal(finding['file'], 'web.yaml')
  const [route] = (await api('/api/routes')) as { responses: Record<string, number> }[]
  assert.ok((route?.responses['2xx'] ?? 0) >= 2)
  const url = encodeURIComponent('http://a.example/x/../y')
  const explained = (await api(`/api/explain?method=POST&url=${url}`)) as Record<string, unknown>
  assert.equal(explained['path'], '/y')
  assert.equal((await ask(ports.admin, '/api/explain?url=x')).status, 400)

  const { value } = parseExposition((await ask(ports.admin, '/metrics')).body)
  const labels = { namespace: 'test', ingress: 'web', host: 'a.example', path: '/' }
  assert.ok((value('headgate_requests_total', { ...labels, status: '2xx' }) ?? 0) >= 2)
  assert.ok((value('headgate_request_duration_seconds_count', labels) ?? 0) >= 2)
  assert.equal(value('headgate_table_version', {}), 2)
  assert.equal(value('headgate_objects', { kind: 'Ingress' }), 1)
  assert.equal(value('headgate_diagnostics', { severity: 'error' }), 1)
  assert.equal(
    value('headgate_upstream_endpoints', { namespace: 'test', service: 'web', state: 'ready' }),
    1,
  )
  assert.equal(value('headgate_requests_rejected_total', { status: '404' }), 0)

  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
  const lines = program.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.ok(lines.length >= 2)
  const [line = {}] = lines
  assert.equal(line['host'], 'a.example')
  assert.equal(line['status'], 200)
  for (const logged of program.stderr.trimEnd().split('\n')) JSON.parse(logged)
})

test(
  'SIGTERM: unready at once, the grace period serves on, then what is in flight finishes',
  limits,
  async (t) => {
    const arrived = Promise.withResolvers<ServerResponse>()
    const upstream = await startUpstream(t, (request, response) => {
      if (request.url !== '/slow') {
        response.end('quick')
        return
      }
      arrived.resolve(response)
    })
    const folder = createFolder(t, { 'web.yaml': manifest('a.example', upstream) })
    const { program, ports } = await startServing(t, folder, ['--shutdown-grace-period=3s'])
    const slow = ask(ports.http, '/slow', toHost)
    const held = await arrived.promise
    program.child.kill('SIGTERM')
    await until(async () => (await ask(ports.admin, '/readyz')).status === 503)
    assert.match((await ask(ports.admin, '/readyz')).body, /draining/)
    assert.equal((await ask(ports.admin, '/healthz')).status, 200)
    assert.equal((await ask(ports.http, '/', toHost)).body, 'quick', 'the grace period accepts')
    program.child.kill('SIGTERM')
    await until(
      async () =>
        await ask(ports.http, '/', toHost).then(
          () => false,
          () => true,
        ),
    )
    assert.ok(program.running, 'a request is in flight')
    held.end('slow')
    assert.equal((await slow).body, 'slow')
    assert.equal(await program.ended, 0)
  },
)

test(
  'an idle connection does not hold the process, another signal cuts what does',
  limits,
  async (t) => {
    const arrived = Promise.withResolvers<unknown>()
    const upstream = await startUpstream(t, (request) => {
      arrived.resolve(request)
    })
    const folder = createFolder(t, { 'web.yaml': manifest('a.example', upstream) })
    const { program, ports } = await startServing(t, folder)
    const idle = connect(ports.http, '127.0.0.1')
    t.after(() => idle.destroy())
    idle.write('GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n')
    await once(idle, 'data')
    const hanging = ask(ports.http, '/', toHost).catch((error: unknown) => error)
    await arrived.promise
    program.child.kill('SIGINT')
    await until(() => /"phase":"running"/.test(program.stderr))
    await until(
      async () =>
        await ask(ports.http, '/').then(
          () => false,
          () => true,
        ),
    )
    assert.ok(program.running)
    program.child.kill('SIGINT')
    assert.equal(await program.ended, 0)
    await hanging
  },
)

test('a reader of the access log that stalls loses lines and slows nobody', limits, async (t) => {
  const upstream = await startUpstream(t, (_, response) => response.end('ok'))
  const folder = createFolder(t, { 'web.yaml': manifest('a.example', upstream) })
  const { program, ports } = await startServing(t, folder, ['--workers=1'], { readStdout: false })
  const path = `/${'x'.repeat(7000)}`
  const dropped = async (): Promise<number> => {
    const { value } = parseExposition((await ask(ports.admin, '/metrics')).body)
    return value('headgate_access_log_lines_total', { fate: 'dropped' }) ?? 0
  }
  await until(async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => await ask(ports.http, path, toHost)),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    return (await dropped()) > 0
  })
  let text = ''
  program.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await until(() => text.length > 1_000_000)
  await ask(ports.http, '/last', toHost)
  await until(() => text.includes('"/last"'))
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
  for (const line of text.trimEnd().split('\n')) JSON.parse(line)
})

test('the API is for this machine, or for those who know the token', limits, async (t) => {
  const folder = createFolder(t)
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'sesame\n')
  const { ports } = await startServing(t, folder, [
    `--admin-token-file=${tokenFile}`,
    '--workers=1',
  ])
  const foreign = { host: 'evil.example' }
  assert.equal((await ask(ports.admin, '/', {})).status, 200)
  for (const path of [
    '/',
    '/api/status',
    '/api/routes',
    '/api/diagnostics',
    '/api/explain?url=http://a/',
  ]) {
    assert.equal((await ask(ports.admin, path, { headers: foreign })).status, 421, path)
    const headers = { ...foreign, 'x-headgate-token': 'sesame' }
    assert.equal((await ask(ports.admin, path, { headers })).status, 200, path)
  }
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    assert.equal((await ask(ports.admin, path, { headers: foreign })).status, 200, path)
  }
  const commands = [['routes'], ['explain', 'http://a.example/']]
  await Promise.all(
    commands.map(async (command) => {
      const program = new Program(t, [...command, `--admin-port=${ports.admin}`])
      assert.equal(await program.ended, 0, program.stderr)
    }),
  )
})

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { call } from './call.ts'
import { createFolder, freePorts, manifest } from './instance.ts'

const prefix = 'nginx.ingress.kubernetes.io'

test('lint: 0 when all is well', async (t) => {
  const folder = createFolder(t, { 'web.yaml': manifest('a.example', 80) })
  const { code, out } = await call('lint', folder)
  assert.equal(code, 0)
  assert.equal(out, '1 file, 3 objects: 0 errors, 0 warnings, 0 notes\n')
})

test('lint: every finding on a line with its place; 1 on errors', async (t) => {
  const folder = createFolder(t, {
    'a.yaml': manifest('a.example', 80, `${prefix}/proxy-body-size: much`),
    'b.yaml': '{ not yaml',
  })
  const { code, out } = await call('lint', `${folder}/a.yaml`, `${folder}/b.yaml`)
  assert.equal(code, 1)
  const lines = out.trimEnd().split('\n')
  assert.equal(lines.length, 3)
  assert.match(lines.join('\n'), /b\.yaml: .*error: .* \(file-unreadable\)/)
  assert.match(
    lines.join('\n'),
    /a\.yaml: Ingress test\/web nginx\.ingress\.kubernetes\.io\/proxy-body-size: error: .*"much".* \(annotation-invalid\)/,
  )
  assert.match(lines[2] ?? '', /^2 files, 3 objects: 2 errors/)
})

test('what a manifest says cannot steer a terminal, nor pretend to be another line', async (t) => {
  const key = String.raw`"${prefix}/a\u001b[2J\u009b\r\nb: error"`
  const folder = createFolder(t, { 'a.yaml': manifest('a.example', 80, `${key}: x`) })
  for (const command of ['lint', 'migrate']) {
    const { out } = await call(command, folder)
    assert.doesNotMatch(out, /[^\n\t\P{Cc}]/u)
    assert.match(out, /a\\u001b\[2J\\u009b\\u000d\\u000ab: error/)
  }
  const { err } = await call('explain', '\u001b[2J')
  assert.doesNotMatch(err, /[^\n\t\P{Cc}]/u)
})

test('lint: a file that is not there is an error, none is a wrong call', async () => {
  const missing = await call('lint', '/nonexistent.yaml')
  assert.equal(missing.code, 1)
  assert.match(missing.out, /^\/nonexistent\.yaml: error: is not there \(file-unreadable\)$/m)
  const { code, err } = await call('lint')
  assert.equal(code, 2)
  assert.match(err, /^headgate: lint needs files/)
})

test('lint --files names a folder, too', async (t) => {
  const folder = createFolder(t, {
    'web.yaml': manifest('a.example', 80, `${prefix}/proxy-body-size: much`),
  })
  const { code, out } = await call('lint', '--files', folder)
  assert.equal(code, 1)
  assert.match(out, /^\S+web\.yaml: Ingress test\/web .*error/m)
})

test('lint reads files as serve does: no text is an error', async (t) => {
  const folder = createFolder(t, { 'web.yaml': '' })
  writeFileSync(`${folder}/web.yaml`, Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]))
  const { code, out } = await call('lint', `${folder}/web.yaml`)
  assert.equal(code, 1)
  assert.match(out, /web\.yaml: error: is not UTF-8 text \(file-unreadable\)/)
})

test('lint --strict: 1 on warnings', async (t) => {
  const folder = createFolder(t, {
    'class.yaml':
      'apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: { name: other }\nspec: { controller: x/y }\n',
    'web.yaml': manifest('a.example', 80).replace('spec:', 'spec:\n  ingressClassName: absent'),
  })
  const { code, out } = await call('lint', folder)
  assert.equal(code, 0)
  assert.match(out, /warning: .* \(class-missing\)/)
  assert.equal((await call('lint', '--strict', folder)).code, 1)
})

test('routes --files prints the table', async (t) => {
  const folder = createFolder(t, { 'web.yaml': manifest('a.example', 8080) })
  const { code, out, err } = await call('routes', '--files', folder)
  assert.equal(code, 0)
  assert.match(out, /^host a\.example$/m)
  assert.match(out, /127\.0\.0\.1:8080 ready/)
  assert.equal(err, '')
})

test('routes and explain of a folder say when it asks for more than is in force', async (t) => {
  const bad = 'nginx.ingress.kubernetes.io/proxy-body-size: much'
  const folder = createFolder(t, {
    'web.yaml': manifest('a.example', 8080, bad),
    'broken.yaml': 'kind: [',
  })
  const line = /^2 of what the manifests ask for is not in force; see: headgate lint \S+\n$/
  assert.match((await call('routes', '--files', folder)).err, line)
  assert.match((await call('explain', '--files', folder, 'http://a.example/')).err, line)
})

test('explain --files follows a request', async (t) => {
  const folder = createFolder(t, { 'web.yaml': manifest('a.example', 8080) })
  const found = await call('explain', '--files', folder, 'http://a.example/x')
  assert.equal(found.code, 0)
  assert.match(found.out, /path \/ \(prefix\) of Ingress test\/web matches/)
  assert.match(found.out, /127\.0\.0\.1:8080 gets requests/)
  const byHeader = await call(
    'explain',
    '--files',
    folder,
    '--header',
    'Host: b.example',
    'http://a.example/',
  )
  assert.match(byHeader.out, /no rule names the host b\.example/)
  assert.equal((await call('explain', '--files', folder, '/x')).code, 2)
  assert.equal((await call('explain', '--files', folder)).code, 2)
})

test('a folder that is not there, an instance that does not answer: one line and 1', async () => {
  const [port = 0] = await freePorts(1)
  for (const args of [
    ['routes', '--files', '/nonexistent'],
    ['explain', '--files', '/nonexistent', 'http://a/'],
    ['routes', `--admin-port=${port}`],
    ['explain', `--admin-port=${port}`, 'http://a/'],
  ]) {
    const { code, err } = await call(...args)
    assert.equal(code, 1, args.join(' '))
    assert.equal(err.trimEnd().split('\n').length, 1, err)
  }
})

test('schema: every key with its type, under the prefix that is asked for', async () => {
  const { code, out } = await call('schema', '--annotations-prefix=old.example')
  assert.equal(code, 0)
  const { properties } = JSON.parse(out) as { properties: Record<string, { type: string }> }
  assert.equal(properties['old.example/enable-cors']?.type, 'string')
  assert.ok(properties['headgate.dev/canary-group'] !== undefined)
  assert.equal(properties['old.example/canary-group'], undefined)
  const options = await call('schema', 'configmap')
  const described = JSON.parse(options.out) as { properties: Record<string, { enum?: string[] }> }
  assert.ok(described.properties['use-gzip']?.enum?.includes('true'))
  assert.ok(described.properties['syslog-host'] !== undefined)
  for (const args of [
    ['schema', 'flags'],
    ['schema', 'annotations', 'configmap'],
  ]) {
    assert.equal((await call(...args)).code, 2)
  }
})

test('help and version', async () => {
  const general = await call('help')
  assert.equal(general.code, 0)
  for (const name of ['serve', 'lint', 'routes', 'explain', 'migrate', 'demo', 'version']) {
    assert.match(general.out, new RegExp(`^ {2}headgate ${name} `, 'm'))
    const { code, out } = await call(name, '--help')
    assert.equal(code, 0)
    assert.match(out, new RegExp(`^Usage: headgate ${name}`))
  }
  assert.match((await call('help', 'serve')).out, /--drain-timeout DURATION/)
  assert.equal((await call('help', 'nothing')).code, 2)
  assert.equal((await call()).code, 2)
  assert.match((await call('--version')).out, /^headgate \d+\.\d+\.\d+ /)
  assert.match((await call('--frob')).err, /the first argument is a command, got --frob/)
})

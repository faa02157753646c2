import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { ScriptedApiServer, answerStatus } from '#test/support/api-server.ts'
import type { Draft } from '#test/support/api-server.ts'
import { call } from './call.ts'
import { createFolder } from './instance.ts'

const prefix = 'nginx.ingress.kubernetes.io'

function ingress(namespace: string, name: string, annotations: Record<string, string>): Draft {
  const backend = { service: { name: 'web', port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace, name, annotations },
    spec: {
      ingressClassName: 'nginx',
      rules: [
        { host: `${name}.example`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } },
      ],
    },
  }
}

const auth = { [`${prefix}/auth-type`]: 'basic', [`${prefix}/auth-secret`]: 'users' }
const objects: readonly Draft[] = [
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'nginx' },
    spec: { controller: 'k8s.io/ingress-nginx' },
  },
  ingress('shop', 'guarded', auth),
  ingress('shop', 'wrong', { [`${prefix}/proxy-body-size`]: 'much' }),
  ingress('blog', 'plain', {}),
  {
    kind: 'Secret',
    metadata: { namespace: 'shop', name: 'users' },
    type: 'Opaque',
    data: { auth: Buffer.from('u:{PLAIN}p').toString('base64') },
  },
  { kind: 'Secret', metadata: { namespace: 'shop', name: 'other' }, type: 'Opaque', data: {} },
]

async function start(t: TestContext) {
  const server = new ScriptedApiServer()
  for (const object of objects) server.put(object)
  await server.listen()
  t.after(() => {
    server.close()
  })
  const file = join(createFolder(t), 'config')
  const config = {
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: server.url } }],
    contexts: [{ name: 'c', context: { cluster: 'c' } }],
  }
  writeFileSync(file, JSON.stringify(config))
  return { server, file }
}

const limits = { timeout: 60_000 }

/** What was said, but for how far it was: on a busy machine reading may take a second. */
function told(text: string): string {
  return text.replaceAll(/^reading the cluster: .*\n/gm, '')
}

test(
  'migrate reads a cluster, and of Secrets only those that are referred to',
  limits,
  async (t) => {
    const { server, file } = await start(t)
    const { code, out, err } = await call('migrate', `--kubeconfig=${file}`)
    assert.equal(told(err), '')
    assert.equal(code, 1)
    assert.match(out, /^Ingress shop\/wrong: partly$/m)
    assert.match(out, /^Ingress shop\/guarded: the same$/m)
    assert.doesNotMatch(out, /PLAIN/)
    const secrets = server.requests.filter(({ plural }) => plural === 'secrets')
    assert.deepEqual(
      secrets.map(({ namespace, name }) => `${namespace}/${name}`),
      ['shop/users'],
    )
  },
)

test('--watch-namespace bounds what is read', limits, async (t) => {
  const { server, file } = await start(t)
  const { code, out } = await call('migrate', `--kubeconfig=${file}`, '--watch-namespace=blog')
  assert.equal(code, 0)
  assert.doesNotMatch(out, /shop\//)
  const places = server.requests.filter(({ plural }) => plural === 'ingresses')
  assert.deepEqual(
    places.map(({ namespace }) => namespace),
    ['blog'],
  )
})

test(
  'a right that is missing is told, and the rest is judged; without Ingresses there is nothing',
  limits,
  async (t) => {
    const { server, file } = await start(t)
    let refused = 'secrets'
    server.intercept = (asked) => {
      if (asked.plural !== refused) return false
      answerStatus(asked, 403, 'Forbidden', `${refused} is forbidden`)
      return true
    }
    const partly = await call('migrate', `--kubeconfig=${file}`)
    assert.match(told(partly.err), /^\S+\/secrets\/users may not be read: .*\n$/)
    assert.match(partly.out, /^Ingress shop\/wrong: partly$/m)
    refused = 'ingresses'
    const nothing = await call('migrate', `--kubeconfig=${file}`)
    assert.equal(nothing.code, 1)
    assert.match(nothing.err, /ingresses is forbidden/)
    assert.equal(told(nothing.err).trimEnd().split('\n').length, 1)
  },
)

test('nothing to read, and two things at once, are wrong calls', limits, async (t) => {
  const nothing = await call('migrate')
  assert.equal(nothing.code, 2)
  assert.match(nothing.err, /migrate needs files or folders to read, - .*, or a cluster/)
  const both = await call('migrate', '--kubeconfig=config', createFolder(t))
  assert.equal(both.code, 2)
  assert.match(both.err, /reads files or a cluster, not both/)
})

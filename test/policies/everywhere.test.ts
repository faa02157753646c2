import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  configMap,
  ingress,
  ingressClass,
  metadata,
  nginx,
  prefix,
} from '#test/compile/builders.ts'
import { compileObjects } from '#test/compile/compiling.ts'
import { Client, Upstream, versions } from '#test/support/http-peers.ts'
import type { Answer } from '#test/support/http-peers.ts'
import { localService, serve } from '#test/support/served.ts'

// Options that need no Ingress hold where no rule matches, too. `app.test` has a rule for /a alone:
// everything else of it, and every other host, is left to the default backend or to a 404.

let last: Upstream

before(async () => {
  last = await Upstream.start('http1')
  last.listener = (request, response) => {
    response.writeHead(200, { 'x-hidden': 'yes', 'x-saw': JSON.stringify(request.headers) })
    response.end('last')
  }
})

after(() => {
  last.stop()
})

const options = {
  'block-cidrs': '192.0.2.0/24',
  'block-user-agents': '~*bot',
  'block-referers': 'http://bad.example/',
  'add-headers': 'shop/added',
  'proxy-set-headers': 'shop/set',
  'proxy-add-original-uri-header': 'true',
  'hide-headers': 'X-Hidden',
  'use-forwarded-headers': 'true',
}

const objects = [
  ingressClass('headgate'),
  configMap(options),
  ingress('one', {
    annotations: nginx({ 'from-to-www-redirect': 'true' }),
    hosts: { 'app.test': [prefix('/a')] },
  }),
  { ...configMap({ 'X-Added': 'for $host', 'bad name': 'x' }), metadata: metadata('added') },
  { ...configMap({ 'X-Set': 'set' }), metadata: metadata('set') },
  ...localService('web', 0),
]

const defaultBackendService = { namespace: 'shop', name: 'last' }

type Given = Readonly<Record<string, string>>

const cases: readonly (readonly [
  name: string,
  given: Given,
  statuses: readonly [withoutBackend: number, withBackend: number, redirect: number],
])[] = [
  ['a request that nothing is said of', {}, [404, 200, 308]],
  ['block-cidrs', { 'x-forwarded-for': '192.0.2.7' }, [403, 403, 403]],
  ['block-user-agents', { 'user-agent': 'SomeBot/1' }, [403, 403, 403]],
  ['block-referers', { referer: 'http://bad.example/' }, [403, 403, 403]],
]

for (const version of versions) {
  for (const [i, given] of [undefined, defaultBackendService].entries()) {
    const name = given === undefined ? 'without a default backend' : 'with one'
    test(`${version}: what holds for everything holds where no rule matches, ${name}`, async (t) => {
      const all = [...objects, ...localService('last', last.port)]
      const { plane } = await serve(all, { defaultBackendService: given })
      const client = new Client(version, plane.httpPort)
      t.after(async () => {
        client.stop()
        await plane.stop()
      })
      const hosts = ['other.test', 'app.test', 'www.app.test']
      for (const [what, sent, statuses] of cases) {
        // What comes again has a kept head.
        for (const host of [...hosts, ...hosts, ...hosts]) {
          const answer = await client.get('/b?c', {
            [version === 'http1' ? 'host' : ':authority']: host,
            ...sent,
          })
          const expected = host === 'www.app.test' ? statuses[2] : statuses[i]
          assert.deepEqual([what, host, answer.status], [what, host, expected])
          check(answer, host)
        }
      }
    })
  }
}

function check({ status, headers }: Answer, host: string): void {
  assert.equal(headers['x-added'], `for ${host}`)
  assert.equal(headers['x-hidden'], undefined)
  if (status !== 200) return
  const saw = JSON.parse(String(headers['x-saw'])) as Record<string, string>
  assert.deepEqual([saw['x-set'], saw['x-original-uri']], ['set', '/b?c'])
}

test('what is wrong with them is told once, and where there is no Ingress, too', () => {
  for (const all of [objects, objects.filter(({ kind }) => kind !== 'Ingress')]) {
    const { diagnostics, references } = compileObjects(
      all.filter(({ metadata: { name } }) => name !== 'set'),
    )
    const told = diagnostics.filter(({ code }) => code === 'reference-unusable')
    assert.deepEqual(
      told.map(({ kind, field }) => `${kind} ${field}`),
      ['ConfigMap add-headers', 'ConfigMap proxy-set-headers'],
    )
    // In a cluster only what is named is read.
    const read = references.configMaps.map(({ name }) => name)
    assert.deepEqual(read, ['options', 'added', 'set'])
  }
})

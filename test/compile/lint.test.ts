import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lint } from '#src/compile/lint.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import {
  ingress,
  ingressClass,
  nginx,
  prefix,
  prefixed,
  service,
  slice,
  snapshotOf,
  to,
  web,
} from './builders.ts'
import { fakeReaders, nowMs, settings } from './compiling.ts'

function lintCodes(objects: readonly AnyObject[]): string[] {
  const files = { ...settings, source: 'files', configMap: undefined } as const
  const findings = lint(objects, snapshotOf, files, { ...fakeReaders, nowMs })
  return findings.map(({ code, name }) => `${code} ${name}`)
}

const section = [{ hosts: ['a.example'], secretName: 'gone' }]

test('an Ingress by itself is judged by what it says', () => {
  assert.deepEqual(lintCodes([ingress('one', { tls: section })]), [])
  const bad = ingress('one', {
    annotations: nginx({ 'proxy-body-size': '15r' }),
    hosts: { 'a.example': [prefix('x')] },
  })
  assert.deepEqual(lintCodes([bad]), ['annotation-invalid one', 'path-invalid one'])
})

test('without classes at hand every Ingress is judged, whatever it says about its class', () => {
  const bad = nginx({ 'proxy-body-size': '15r' })
  const old = { ...bad, 'kubernetes.io/ingress.class': 'nginx' }
  const given = [
    ingress('named', { className: 'nginx', annotations: bad }),
    ingress('annotated', { className: undefined, annotations: old }),
    ingress('neither', { className: undefined, annotations: bad }),
  ]
  for (const one of given) {
    assert.deepEqual(lintCodes([one]), [`annotation-invalid ${one.metadata.name}`])
  }
  const foreign = ingressClass('nginx', 'k8s.io/ingress-nginx')
  assert.deepEqual(lintCodes([foreign, ...given]), [])
})

test('that an object is missing counts where others of its kind are given', () => {
  const one = ingress('one', { className: 'nope', tls: section })
  assert.deepEqual(lintCodes([one]), [])
  assert.deepEqual(lintCodes([one, ingressClass('headgate')]), ['class-missing one'])
  const two = ingress('two', { hosts: { 'b.example': [prefix('/', to('gone'))] } })
  assert.deepEqual(lintCodes([...web, two]), ['service-missing two'])
})

test('names are not resolved, and not complained about', () => {
  const external = service('web', { type: 'ExternalName', externalName: 'out.example', ports: [] })
  assert.deepEqual(lintCodes([external, ingress('one')]), [])
})

test('Services and slices are judged though no Ingress leads to them, and once if one does', () => {
  const meta = { annotations: prefixed('headgate.dev', { nonsense: '1' }) }
  const alone = [service('web', { meta }), slice('web-1', 'web', ['10.0.0.1'], { meta })]
  const expected = ['annotation-unknown web-1', 'annotation-unknown web']
  assert.deepEqual(lintCodes(alone), expected)
  assert.deepEqual(lintCodes([...alone, ingress('one')]), expected)
})

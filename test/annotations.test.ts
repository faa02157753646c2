import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ingressNginxPending } from '#src/annotations/ingress-nginx.ts'
import { ingressNginxPendingOptions } from '#src/annotations/ingress-nginx-options.ts'
import type { Setting } from '#src/annotations/schema.ts'
import { policyList } from '#src/policies/index.ts'
import { annotationJsonSchema, referencePage } from '#src/compile/values/reference.ts'
import { annotationSchema, optionSchema } from '#src/compile/values/schema.ts'
import { ingressNginxKeys } from './annotations/ingress-nginx-keys.ts'

const settings: readonly (readonly [string, Setting<unknown>])[] = [
  ...Object.entries(annotationSchema),
  ...Object.entries(optionSchema).filter(([key]) => !Object.hasOwn(annotationSchema, key)),
]

for (const [key, { type, default: preset, doc, example, refused = {} }] of settings) {
  test(`${key}: documented, with an example that is valid and not the default`, () => {
    assert.match(doc, /^[A-Z].*\.$/)
    const value = type.parse(example)
    assert.notEqual(value, undefined)
    assert.notDeepEqual(value, preset)
    assert.deepEqual(type.parse(type.format(value)), value)
  })

  test(`${key}: the default can be written down`, () => {
    const text = type.format(preset)
    if (text !== '') assert.deepEqual(type.parse(text), preset)
  })

  test(`${key}: its JSON schema takes the example and the default`, () => {
    const { pattern, enum: listed } = type.schema
    for (const text of [example, type.format(preset)].filter((written) => written !== '')) {
      if (pattern !== undefined) assert.match(text, new RegExp(pattern))
      if (listed !== undefined) assert.ok(listed.includes(text), `${text} is not listed`)
    }
  })

  test(`${key}: what is refused is written in lower case, with a reason`, () => {
    for (const [text, reason] of Object.entries(refused)) {
      assert.equal(text, text.toLowerCase())
      assert.equal(type.parse(text), undefined)
      assert.ok(reason.length > 10)
    }
  })
}

test('every annotation of ingress-nginx is honoured or listed as pending, and none is both', () => {
  const honoured = Object.entries(annotationSchema)
    .filter(([, { compatibility }]) => compatibility !== 'own')
    .map(([key]) => key)
  const accounted = [...honoured, ...Object.keys(ingressNginxPending)]
  assert.deepEqual(accounted.toSorted(), ingressNginxKeys.toSorted())
  assert.equal(new Set(accounted).size, 136)
})

test('no option is both honoured and pending', () => {
  const both = Object.keys(optionSchema).filter((key) => ingressNginxPendingOptions.has(key))
  assert.deepEqual(both, [])
})

test('an annotation or option that policies share is one row', () => {
  const rows = new Map<string, unknown>()
  for (const [, { annotations, options }] of policyList) {
    for (const [key, row] of Object.entries(annotations)) {
      assert.ok(
        !rows.has(`annotation ${key}`) || rows.get(`annotation ${key}`) === row,
        `${key} has two rows`,
      )
      rows.set(`annotation ${key}`, row)
    }
    for (const [key, row] of Object.entries(options)) {
      assert.ok(!rows.has(key) || rows.get(key) === row, `${key} has two rows`)
      rows.set(key, row)
    }
  }
})

test('the JSON schema has both prefixes, and own keys under one', () => {
  const { properties } = annotationJsonSchema('nginx.ingress.kubernetes.io') as {
    properties: Record<string, unknown>
  }
  const keys = Object.keys(properties)
  assert.ok(keys.includes('headgate.dev/proxy-body-size'))
  assert.ok(keys.includes('nginx.ingress.kubernetes.io/proxy-body-size'))
  assert.ok(keys.includes('headgate.dev/path-normalization'))
  assert.ok(!keys.includes('nginx.ingress.kubernetes.io/path-normalization'))
})

// After a change of the schema: `npm run golden`.
test('ANNOTATIONS.md is up to date', (t) => {
  const file = join(import.meta.dirname, '..', 'ANNOTATIONS.md')
  t.assert.fileSnapshot(referencePage(), file, { serializers: [String] })
})

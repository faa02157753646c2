import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ingressNginxOptionVerdicts } from '#src/annotations/ingress-nginx-option-verdicts.ts'
import { ingressNginxPendingOptions } from '#src/annotations/ingress-nginx-options.ts'
import { readOptions } from '#src/annotations/options.ts'
import { optionSchema } from '#src/compile/values/schema.ts'
import { ingressNginxOptionKeys } from './ingress-nginx-option-keys.ts'

/** What one key with one value is reported as: code and message, or '' for nothing. */
function report(key: string, text: string): string {
  const found: string[] = []
  readOptions(optionSchema, { [key]: text }, (code, field, message) => {
    assert.equal(field, key)
    found.push(`${code}: ${message}`)
  })
  assert.ok(found.length <= 1)
  return found[0] ?? ''
}

test('every key of ingress-nginx is honoured, judged or pending, and none is two of these', () => {
  const judged = Object.keys(ingressNginxOptionVerdicts)
  const honoured = Object.keys(optionSchema).filter((key) => ingressNginxOptionKeys.includes(key))
  const accounted = [...honoured, ...judged, ...ingressNginxPendingOptions]
  assert.deepEqual(accounted.toSorted(), ingressNginxOptionKeys.toSorted())
  assert.equal(new Set(accounted).size, accounted.length)
})

for (const [key, { verdict, why, presets }] of Object.entries(ingressNginxOptionVerdicts)) {
  test(`${key} is ${verdict}, with its reason`, () => {
    assert.ok(why.length > 15)
    assert.equal(report(key, ' '), `option-unused: ${verdict === 'unused' ? why : 'is empty'}`)
    const asked = report(key, 'something-else')
    assert.ok(asked.startsWith(`option-${verdict}: `), asked)
    assert.ok(asked.endsWith(why))
    for (const preset of presets) {
      assert.equal(preset, preset.toLowerCase())
      assert.match(report(key, preset.toUpperCase()), /^option-unused: /)
    }
  })
}

test('a key that is misspelt is told the nearest, whatever becomes of that', () => {
  for (const key of ['use-gzipp', 'server-token', 'reuse-prt']) {
    assert.match(report(key, 'true'), /^option-unknown: is not known; did you mean /)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exact, ingress, nginx, prefix, specific, web } from './builders.ts'
import { compileObjects, found, rulesByHost } from './compiling.ts'

const scope = (text: string) => ({ 'headgate.dev/regex-scope': text })

/** Whose paths of a.example are regular expressions, and the findings about paths. */
function compiled(ofRegex: Record<string, string>, ofPlain: Record<string, string>) {
  const result = compileObjects([
    ...web,
    ingress('regex', {
      annotations: { ...nginx({ 'use-regex': 'true' }), ...ofRegex },
      hosts: { 'a.example': [specific('/id/[0-9]+')] },
    }),
    ingress('plain', {
      annotations: ofPlain,
      hosts: { 'a.example': [prefix('/foo'), exact('/Bar')] },
    }),
  ])
  const rules = rulesByHost(result).get('a.example') ?? []
  const types = rules.map(({ pathText, path }) => `${pathText} ${path.type}`).toSorted()
  return { types, findings: found(result).filter((text) => text.startsWith('path-regex')).length }
}

const literal = ['/Bar exact', '/foo prefix', '/id/[0-9]+ regex']
const whole = ['/Bar regex', '/foo regex', '/id/[0-9]+ regex']

test('one Ingress with use-regex makes every path of the host a regular expression, and others are told', () => {
  assert.deepEqual(compiled({}, {}), { types: whole, findings: 2 })
})

test('regex-scope: path on either side keeps the others as they are written', () => {
  assert.deepEqual(compiled(scope('path'), {}), { types: literal, findings: 0 })
  assert.deepEqual(compiled({}, scope('path')), { types: literal, findings: 0 })
})

test('a bad regex-scope is reported, and the host-wide reach stays', () => {
  assert.deepEqual(compiled(scope('world'), {}), { types: whole, findings: 2 })
})

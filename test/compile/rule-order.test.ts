import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IngressPath } from '#src/snapshot/objects.ts'
import { exact, ingress, nginx, prefix, specific, web } from './builders.ts'
import { compileObjects, rulesByHost } from './compiling.ts'

// Locations as ingress-nginx sorts them: by length, then the greater text first, Prefix paths twice.
const rows: readonly (readonly [string, readonly IngressPath[], readonly IngressPath[], string])[] =
  [
    ['of one length', [specific('/a.c'), specific('/ab.')], [], '/ab. /a.c'],
    [
      'a prefix stands before what is longer by one',
      [specific('/(.*)')],
      [prefix('/api')],
      '/api/ /(.*) /api',
    ],
    [
      'and is one where nothing is between',
      [specific('/a(.*)')],
      [prefix('/api'), prefix('/web')],
      '/a(.*) /web /api',
    ],
    [
      'beside Exact it is the first alone',
      [specific('/(.*)')],
      [prefix('/api'), exact('/api')],
      '/api/ /(.*) /api',
    ],
    ['with a slash it is one', [specific('/(.*)')], [prefix('/web/')], '/web/ /(.*)'],
  ]

for (const [title, regexes, plain, expected] of rows) {
  test(`paths among regular expressions: ${title}`, () => {
    const annotations = nginx({ 'use-regex': 'true' })
    const compiled = compileObjects([
      ...web,
      ingress('regex', { annotations, hosts: { 'a.example': regexes } }),
      ingress('plain', { hosts: { 'a.example': plain } }),
    ])
    const rules = rulesByHost(compiled).get('a.example') ?? []
    assert.equal(rules.map(({ path }) => path.value).join(' '), expected)
    assert.equal(new Set(rules.map(({ key }) => key)).size, rules.length)
  })
}

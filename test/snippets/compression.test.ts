import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompressionConfig } from '#src/policies/compression.ts'
import { configMap, ingress, nginx, web } from '#test/compile/builders.ts'
import { compileObjects, rulesByHost } from '#test/compile/compiling.ts'
import { snippetsOn } from './snippet-rule.ts'

interface Given {
  readonly options?: Readonly<Record<string, string>>
  readonly server?: string
  readonly location?: string
  readonly wanted?: string
}

/** The codings of a route, the types but for their number. */
function codingsOf({ options = {}, server = '', location = '', wanted = '' }: Given): string[] {
  const annotations = {
    ...nginx({
      ...(server !== '' && { 'server-snippet': server }),
      ...(location !== '' && { 'configuration-snippet': location }),
    }),
    ...(wanted !== '' && { 'headgate.dev/compression': wanted }),
  }
  const objects = [
    ...web,
    configMap({ ...snippetsOn, ...options }),
    ingress('web', { annotations }),
  ]
  const [rule] = rulesByHost(compileObjects(objects)).get('a.example') ?? []
  assert.ok(rule !== undefined)
  const found = rule.policies.find(({ name }) => name === 'compression')
  const { codings } = (found?.config ?? { codings: [] }) as CompressionConfig
  return codings.map(
    ({ coding, level, bytesMin, types }) => `${coding} ${level} ${bytesMin} ${types.length}`,
  )
}

const gzip = { 'use-gzip': 'true' }
const both = { ...gzip, 'enable-brotli': 'true' }

const rows: readonly (readonly [Given, string[]])[] = [
  [{}, []],
  [{ location: 'gzip on;' }, ['gzip 1 256 17']],
  [{ location: 'brotli on;' }, ['br 4 20 18']],
  [{ options: both, location: 'gzip off;' }, ['br 4 20 18']],
  [{ options: both, location: 'gzip off; brotli off;' }, []],
  [{ options: gzip, location: 'gzip_comp_level 9;' }, ['gzip 9 256 17']],
  [{ location: 'gzip_comp_level 9;' }, []],
  [
    { location: 'gzip on; gzip_min_length 2k; gzip_types text/css application/json;' },
    ['gzip 1 2048 2'],
  ],
  [
    { location: 'brotli on; brotli_min_length 5; brotli_comp_level 0; brotli_types *;' },
    ['br 0 5 1'],
  ],
  [{ server: 'gzip on; gzip_comp_level 3;' }, ['gzip 3 256 17']],
  [{ server: 'gzip on; gzip_comp_level 3;', location: 'gzip_min_length 7;' }, ['gzip 3 7 17']],
  [{ server: 'gzip on;', location: 'gzip off;' }, []],
  [{ wanted: 'off', location: 'gzip on;' }, ['gzip 1 256 17']],
  [{ wanted: 'on', location: 'brotli off;' }, ['gzip 1 256 17']],
]

for (const [given, expected] of rows) {
  test(`compression of ${JSON.stringify(given)}`, () => {
    assert.deepEqual(codingsOf(given), expected)
  })
}

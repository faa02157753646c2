import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exact, ingress, nginx, prefix, specific, web } from './builders.ts'
import { compileObjects, rulesByHost } from './compiling.ts'

const root = nginx({ 'app-root': '/app' })
const told = (host: string, objects: Parameters<typeof ingress>[]): string[] => {
  const compiled = compileObjects([...web, ...objects.map((given) => ingress(...given))])
  return (rulesByHost(compiled).get(host) ?? []).map(
    ({ pathText, policies }) =>
      `${pathText} ${policies.map(({ name }) => name).includes('app-root')}`,
  )
}

for (const [title, others, expected] of [
  ['no path has it', [], ['/app true', '/ true']],
  ['another Ingress', [prefix('/')], ['/app true', '/ true']],
  ['Exact beside Prefix', [prefix('/'), exact('/')], ['/app true', '/ true', '/ true']],
] as const) {
  test(`app-root holds for / of its host, whatever has that path: ${title}`, () => {
    const one = { annotations: root, hosts: { 'a.example': [prefix('/app')] } }
    const two = { hosts: { 'a.example': others, 'b.example': [prefix('/')] } }
    assert.deepEqual(
      told('a.example', [
        ['one', one],
        ['two', two],
      ]),
      expected,
    )
    assert.deepEqual(
      told('b.example', [
        ['one', one],
        ['two', two],
      ]),
      ['/ false'],
    )
  })
}

test('app-root holds where / is one of many matches of a regular expression', () => {
  const one = { annotations: root, hosts: { 'a.example': [prefix('/app')] } }
  const two = {
    annotations: nginx({ 'use-regex': 'true' }),
    hosts: { 'a.example': [specific('/(.*)')] },
  }
  const expected = ['/app true', '/(.*) true', '/app true', '/ true']
  assert.deepEqual(
    told('a.example', [
      ['one', one],
      ['two', two],
    ]),
    expected,
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HostTable, hostOf } from '#algorithms/match/host-table.ts'

function tableOf(...patterns: readonly string[]): HostTable<string> {
  const table = new HostTable<string>()
  for (const pattern of patterns) table.set(pattern, pattern)
  return table
}

test('the most specific pattern for a host wins', () => {
  const table = tableOf('foo.bar.example', '*.bar.example', '*.example', '')
  const expected: readonly (readonly [string, string])[] = [
    ['foo.bar.example', 'foo.bar.example'],
    ['x.bar.example', '*.bar.example'],
    ['a-b_c.bar.example', '*.bar.example'],
    ['bar.example', '*.example'],
    ['x.y.bar.example', ''],
    ['example', ''],
    ['other.test', ''],
    ['', ''],
    ['[::1]', ''],
  ]
  for (const [host, pattern] of expected) assert.equal(table.match(host), pattern, host)
})

test('a wildcard stands for exactly one label, and not for an empty one', () => {
  const table = tableOf('*.foo.example')
  assert.equal(table.match('bar.foo.example'), '*.foo.example')
  for (const host of ['foo.example', '.foo.example', 'a.b.foo.example', 'xfoo.example', '']) {
    assert.equal(table.match(host), undefined, host)
  }
})

test('patterns are compared without regard to case', () => {
  const table = tableOf('Shop.Example', '*.CDN.example')
  assert.equal(table.match('shop.example'), 'Shop.Example')
  assert.equal(table.match('a.cdn.example'), '*.CDN.example')
  assert.equal(table.get('SHOP.example'), 'Shop.Example')
  assert.equal(table.delete('shop.EXAMPLE'), true)
  assert.equal(table.match('shop.example'), undefined)
})

test('patterns come, change and go one by one', () => {
  const table = tableOf('a.example', '*.a.example', '')
  assert.equal(table.size, 3)
  table.set('*.a.example', 'new')
  assert.equal(table.size, 3)
  assert.equal(table.match('x.a.example'), 'new')
  assert.equal(table.get('*.a.example'), 'new')
  assert.equal(table.delete('*.a.example'), true)
  assert.equal(table.delete('*.a.example'), false)
  assert.equal(table.match('x.a.example'), '')
  assert.equal(table.delete(''), true)
  assert.equal(table.delete(''), false)
  assert.equal(table.delete('b.example'), false)
  assert.equal(table.match('x.a.example'), undefined)
  assert.equal(table.size, 1)
})

test('any history of changes gives what a search through all patterns would', () => {
  const label = fc.constantFrom('a', 'b', 'www')
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'))
  const pattern = fc.oneof(
    name,
    name.map((text) => `*.${text}`),
    fc.constant(''),
  )
  const step = fc.record({ pattern, value: fc.option(fc.nat(), { nil: undefined }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(name), (steps, hosts) => {
      const table = new HostTable<number>()
      const model = new Map<string, number>()
      for (const { pattern: key, value } of steps) {
        if (value === undefined) assert.equal(table.delete(key), model.delete(key))
        else {
          table.set(key, value)
          model.set(key, value)
        }
      }
      assert.equal(table.size, model.size)
      for (const [key, value] of model) assert.equal(table.get(key), value)
      for (const host of [...hosts, '', 'a']) assert.equal(table.match(host), search(model, host))
    }),
  )
})

test('the host of an authority is in lower case, without port and final dot', () => {
  const expected: readonly (readonly [authority: string, host: string])[] = [
    ['a.example', 'a.example'],
    ['A.Example', 'a.example'],
    ['a.example:8080', 'a.example'],
    ['A.example:', 'a.example'],
    ['a.example.', 'a.example'],
    ['a.example.:443', 'a.example'],
    ['a.example..', 'a.example.'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[::1]:443', '[::1]'],
    ['[2001:DB8::A]:443', '[2001:db8::a]'],
    ['', ''],
    [':80', ''],
    ['[::1', '['],
  ]
  for (const [authority, host] of expected) assert.equal(hostOf(authority), host, authority)
})

test('an authority that is a host already is given back as it is', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9-]{1,10}(\.[a-z0-9-]{1,10}){0,3}$/), (host) => {
      assert.equal(hostOf(host), host)
      assert.equal(hostOf(`${host.toUpperCase()}.:65535`), host)
    }),
  )
})

function search(patterns: ReadonlyMap<string, number>, host: string): number | undefined {
  const wildcard = host.replace(/^[^.]+\./, '*.')
  return (
    patterns.get(host) ??
    (wildcard === host ? undefined : patterns.get(wildcard)) ??
    patterns.get('')
  )
}

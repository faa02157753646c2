import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PathList } from '#algorithms/match/path-list.ts'
import type { PathPattern } from '#algorithms/match/path-list.ts'
import { hashTail } from '#algorithms/match/text-hash.ts'

/** As nginx: anchored at the start, without regard to case. */
function nginxRegex(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})`, 'i')
}

function listOf(patterns: readonly PathPattern[]): PathList {
  return new PathList(patterns, nginxRegex)
}

/** Far more patterns that match nothing, so that the index is used. */
function padded(patterns: readonly PathPattern[]): PathList {
  const padding = Array.from(
    { length: 50 },
    (_, i) => ({ type: 'exact', value: `/never/${i}` }) as const,
  )
  return listOf([...patterns, ...padding])
}

// Rows P1 to P14 of the Ingress table of path types.
const single: readonly (readonly [PathPattern, string, boolean])[] = [
  [{ type: 'exact', value: '/foo' }, '/foo', true],
  [{ type: 'exact', value: '/foo' }, '/foo/', false],
  [{ type: 'exact', value: '/foo' }, '/FOO', false],
  [{ type: 'exact', value: '/foo' }, '/bar', false],
  [{ type: 'exact', value: '/foo/' }, '/foo', false],
  [{ type: 'exact', value: '/foo/' }, '/foo/', true],
  [{ type: 'prefix', value: '' }, '/', true],
  [{ type: 'prefix', value: '/' }, '/any/thing', true],
  [{ type: 'prefix', value: '/foo' }, '/foo', true],
  [{ type: 'prefix', value: '/foo' }, '/foo/', true],
  [{ type: 'prefix', value: '/foo' }, '/foo/x', true],
  [{ type: 'prefix', value: '/foo' }, '/foobar', false],
  [{ type: 'prefix', value: '/foo' }, '/FOO', false],
  [{ type: 'prefix', value: '/foo/' }, '/foo', true],
  [{ type: 'prefix', value: '/foo/' }, '/foo/', true],
  [{ type: 'prefix', value: '/foo/' }, '/foo/bar', true],
  [{ type: 'prefix', value: '/foo/' }, '/foobar', false],
  [{ type: 'prefix', value: '/aaa/bb' }, '/aaa/bbb', false],
  [{ type: 'prefix', value: '/aaa/bbb' }, '/aaa/bbb/ccc', true],
  [{ type: 'prefix', value: '/aaa/bbb' }, '/aaa', false],
  [{ type: 'prefix', value: '/é' }, '/\xc3\xa9/x', true],
  [{ type: 'exact', value: '/é' }, '/\xe9', false],
  [{ type: 'regex', value: '/id/[0-9]+' }, '/ID/7x', true],
  [{ type: 'regex', value: '/a|/b' }, '/x/b', false],
]

test('paths match by type as Ingress says', () => {
  for (const [pattern, path, expected] of single) {
    for (const list of [listOf([pattern]), padded([pattern])]) {
      assert.equal(list.next(path, 0) === 0, expected, `${pattern.type} ${pattern.value} ${path}`)
    }
  }
})

test('the first of the list wins, whatever its length', () => {
  const patterns: readonly PathPattern[] = [
    { type: 'exact', value: '/aaa' },
    { type: 'prefix', value: '/aaa/bbb' },
    { type: 'regex', value: '/aaa/r' },
    { type: 'prefix', value: '/aaa' },
    { type: 'prefix', value: '' },
    { type: 'prefix', value: '/late' },
  ]
  for (const list of [listOf(patterns), padded(patterns)]) {
    const first = ['/aaa', '/aaa/bbb/x', '/aaa/r', '/aaa/x', '/zzz', '/late/x']
    assert.deepEqual(
      first.map((path) => list.next(path, 0)),
      [0, 1, 2, 3, 4, 4],
    )
    assert.equal(list.next('/late/x', 5), 5)
    assert.equal(list.next('/late/x', 6), -1)
  }
})

test('patterns whose hashes collide are told apart', () => {
  const [first, second] = ['.d6eed-25n.example', '.9ue7w1-1lzz.example']
  assert.equal(hashTail(first, 0), hashTail(second, 0))
  const list = padded([first, second].map((value) => ({ type: 'prefix', value })))
  assert.equal(list.next(first, 0), 0)
  assert.equal(list.next(second, 0), 1)
  assert.equal(list.next(`${second}/x`, 0), 1)
  assert.equal(list.next('.other', 0), -1)
})

const segment = fc.constantFrom('a', 'b', 'ab', 'aa', '')
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
const pattern: fc.Arbitrary<PathPattern> = fc.oneof(
  fc.record({ type: fc.constantFrom('exact' as const, 'prefix' as const), value: path }),
  fc.record({
    type: fc.constant('regex' as const),
    value: fc.constantFrom('/a', '/b/', '/[ab]+$'),
  }),
)

test('a list of any length finds what trying one after the other would, and tests no more', () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 40 }),
      path,
      fc.nat(41),
      (patterns, target, from) => {
        const tested: [string[], string[]] = [[], []]
        const naive = patterns.findIndex((one, at) => at >= from && matches(one, target, tested[0]))
        const list = new PathList(patterns, (text) => ({
          test: (subject) => {
            tested[1].push(text)
            return nginxRegex(text).test(subject)
          },
        }))
        assert.equal(list.next(target, from), naive)
        assert.deepEqual(tested[1], tested[0])
        assert.equal(list.length, patterns.length)
      },
    ),
    { numRuns: 3000 },
  )
})

test('going on from match to match visits every match in order', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 30 }), path, (patterns, target) => {
      const list = listOf(patterns)
      const visited: number[] = []
      for (let at = list.next(target, 0); at >= 0; at = list.next(target, at + 1)) visited.push(at)
      const all = patterns.flatMap((one, at) => (matches(one, target, []) ? [at] : []))
      assert.deepEqual(visited, all)
    }),
  )
})

function matches({ type, value }: PathPattern, target: string, tested: string[]): boolean {
  if (type === 'exact') return target === value
  if (type === 'regex') {
    tested.push(value)
    return nginxRegex(value).test(target)
  }
  const prefix = value.replace(/\/+$/, '')
  return target === prefix || target.startsWith(`${prefix}/`)
}

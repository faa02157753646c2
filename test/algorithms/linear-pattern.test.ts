import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePattern, patternProblem, runsOnV8 } from '#algorithms/match/linear-pattern.ts'

const start = { anchor: 'start', anyCase: true } as const

const engines: readonly (readonly [pattern: string, v8: boolean])[] = [
  ['/foo', true],
  ['/something(/|$)(.*)', true],
  ['/(.*)/(.*)', true],
  ['/id/[0-9]{3}$', true],
  ['/v[12]/?x', true],
  ['/(a+)+$', false],
  ['/(a|aa)*b', false],
  ['/.*.*.*x', false],
  ['/(.*)/(.*)/x', false],
  ['/a?a?a?a?a?a?a?a?a?aaaaaaaaa', false],
  ['/(?i)x', false],
  ['/[[:alpha:]]', false],
  ['/\\pL', false],
]

for (const [pattern, expected] of engines) {
  test(`${pattern} runs on V8: ${expected}`, () => {
    assert.equal(patternProblem(pattern), undefined)
    assert.equal(runsOnV8(pattern, 'start'), expected)
  })
}

test('what cannot be matched in linear time, or is no pattern, has a problem', () => {
  for (const pattern of ['/bad[', '/(?=x)', '/(?!x)', '/(a)\\1', '/a)(b', '*x', 'x'.repeat(1025)]) {
    assert.notEqual(patternProblem(pattern), undefined, pattern)
  }
})

test('a pattern that catches backtracking engines is matched at once', () => {
  const text = `/${'a'.repeat(8000)}!`
  const before = performance.now()
  for (const pattern of ['/(a+)+$', '/(a|a)*$', '/.*.*.*=']) {
    assert.equal(compilePattern(pattern, start).test(text), false)
  }
  // Backtracking would take longer than the age of the universe.
  assert.ok(performance.now() - before < 20_000)
})

test('groups, with those that took no part', () => {
  for (const pattern of ['/api(/v1)?', '/api(/v1)?(?:)*']) {
    assert.deepEqual(compilePattern(pattern, start).groups('/API/v1')?.slice(0, 2), [
      '/API/v1',
      '/v1',
    ])
    assert.deepEqual(compilePattern(pattern, start).groups('/api')?.slice(0, 2), ['/api', ''])
    assert.equal(compilePattern(pattern, start).groups('/x/api'), undefined)
  }
})

test('both engines agree on what V8 may run', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '/',
    '.',
    '[ab]',
    '(a|b)',
    '(a)?',
    'a*',
    '[^a]+',
    '$',
    'b{2}',
  )
  const pattern = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''))
  const text = fc
    .array(fc.constantFrom('a', 'b', 'A', '/', 'c'), { maxLength: 8 })
    .map((t) => t.join(''))
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      fc.pre(patternProblem(source) === undefined && runsOnV8(source, 'start'))
      // An empty class of the syntax that only RE2 has moves the same pattern to the other engine.
      const other = `${source}(?i:)`
      assert.equal(runsOnV8(other, 'start'), false)
      assert.deepEqual(
        compilePattern(other, start).groups(subject),
        compilePattern(source, start).groups(subject),
      )
    }),
    { numRuns: 300 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#algorithms/random.ts'
import { linkCanaryGroup } from '#src/proxy/canary-group.ts'
import type { LiveCanaryGroup } from '#src/proxy/canary-group.ts'
import type { LiveTarget } from '#src/proxy/live-rule.ts'
import type { Canary, WeightedBackend } from '#src/table/table.ts'
import { fakeExchange, fieldsOf } from '#test/policies/exchanges.ts'

const unasked: Canary = { header: '', value: '', pattern: '', broken: false, cookie: '' }

interface Side {
  readonly name: string
  readonly weight: number
  readonly endpoints?: number
  readonly asked?: Partial<Canary>
}

/** A group; the first side is the primary. */
class Group {
  readonly live: LiveCanaryGroup
  readonly targets: readonly LiveTarget[]

  constructor(sides: readonly Side[]) {
    const uses = sides.map(({ name, weight }) => ({ backend: name, weight }) as WeightedBackend)
    const canaries = sides.slice(1).map(({ asked }): Canary => Object.assign({}, unasked, asked))
    this.live = linkCanaryGroup({ name: 'g', canaries }, uses)
    this.targets = sides.map(
      ({ endpoints = 1 }, i) =>
        ({ use: uses[i], backend: { eligible: endpoints } }) as unknown as LiveTarget,
    )
  }

  /** Sends a request; gives the side, and the cookie that the answer sets. */
  ask(fields: Record<string, string> = {}, draw = Math.random): { side: string; cookie: string } {
    const { exchange, response } = fakeExchange({ fields, answer: [] })
    const target = this.live.canary.choose(exchange, this.targets, draw)
    this.live.phases.responseHead?.(exchange)
    this.live.phases.end?.(exchange)
    const [, cookie = ''] = fieldsOf(response?.fields)[0] ?? []
    return { side: target.use.backend, cookie }
  }
}

const cookieOf = (key: number): Record<string, string> => ({
  Cookie: `a=b; headgate-canary-g=${key.toString(16).padStart(8, '0')}`,
})

const keys = ((random) => Array.from({ length: 20_000 }, () => Math.floor(random() * 2 ** 32)))(
  seededRandom(5),
)

function sidesOf(group: Group): readonly string[] {
  return keys.map((key) => group.ask(cookieOf(key)).side)
}

test('weights are shares of clients', () => {
  const group = new Group([
    { name: 'main', weight: 65 },
    { name: 'one', weight: 30 },
    { name: 'two', weight: 5 },
  ])
  const sides = sidesOf(group)
  for (const [name, share] of [
    ['main', 0.65],
    ['one', 0.3],
    ['two', 0.05],
  ] as const) {
    const found = sides.filter((side) => side === name).length / keys.length
    // Four standard deviations of a binomial share at most.
    assert.ok(Math.abs(found - share) < 0.014, `${name}: ${found}`)
  }
})

test('a weight that changes moves clients to or from its own canary only', () => {
  const before = sidesOf(
    new Group([
      { name: 'main', weight: 80 },
      { name: 'one', weight: 10 },
      { name: 'two', weight: 10 },
    ]),
  )
  const after = sidesOf(
    new Group([
      { name: 'main', weight: 60 },
      { name: 'one', weight: 30 },
      { name: 'two', weight: 10 },
    ]),
  )
  const moves = before.flatMap((side, i) => (side === after[i] ? [] : [`${side} to ${after[i]}`]))
  assert.deepEqual([...new Set(moves)], ['main to one'])
})

test('a client without a number gets one, and with it the same side again', () => {
  const group = new Group([
    { name: 'main', weight: 50 },
    { name: 'one', weight: 50 },
  ])
  const random = seededRandom(1)
  const sides = new Set<string>()
  for (let i = 0; i < 50; i++) {
    const { side, cookie } = group.ask({}, random)
    const [, sent = ''] =
      /^(headgate-canary-g=[0-9a-f]{8}); Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/.exec(
        cookie,
      ) ?? []
    assert.notEqual(sent, '', cookie)
    const again = group.ask({ Cookie: sent })
    assert.deepEqual(again, { side, cookie: '' })
    sides.add(side)
  }
  assert.deepEqual([...sides].toSorted(), ['main', 'one'])
})

test('a number that is none is replaced', () => {
  const group = new Group([
    { name: 'main', weight: 1 },
    { name: 'one', weight: 1 },
  ])
  for (const value of ['', 'x', '123', '0123456789', 'ABCDEF01', '0000000g']) {
    assert.notEqual(group.ask({ Cookie: `headgate-canary-g=${value}` }).cookie, '')
  }
})

const asking = [
  { name: 'main', weight: 0 },
  { name: 'one', weight: 50, asked: { header: 'x-one', cookie: 'one' } },
  { name: 'two', weight: 50, asked: { header: 'x-two', value: 'yes' } },
] as const

const rows: readonly (readonly [
  title: string,
  sides: readonly Side[],
  fields: Record<string, string>,
  expected: readonly string[],
])[] = [
  ['a header chooses', asking, { 'X-One': 'always' }, ['one']],
  ['a value chooses', asking, { 'X-Two': 'yes' }, ['two']],
  ['a cookie chooses', asking, { Cookie: 'one=always' }, ['one']],
  ['the first of two counts', asking, { 'X-One': 'always', 'X-Two': 'yes' }, ['one']],
  ['never rules one out', asking, { 'X-One': 'never' }, ['main', 'two']],
  ['otherwise weights decide', asking, { 'X-One': 'other' }, ['one', 'two']],
  [
    'a canary without endpoints is passed over, whatever asks for it',
    [{ name: 'main', weight: 0 }, { ...asking[1], endpoints: 0 }, asking[2]],
    { 'X-One': 'always' },
    ['main', 'two'],
  ],
  [
    'a primary without endpoints is not saved',
    [{ name: 'main', weight: 0, endpoints: 0 }, asking[1]],
    { 'X-One': 'always' },
    ['main'],
  ],
  [
    'without any weight the primary serves',
    [
      { name: 'main', weight: 0 },
      { name: 'one', weight: 0 },
    ],
    {},
    ['main'],
  ],
  [
    'two canaries with the same backend are two sides',
    [
      { name: 'main', weight: 0 },
      { name: 'one', weight: 1 },
      { name: 'one', weight: 1, asked: { header: 'x' } },
    ],
    { x: 'never' },
    ['main', 'one'],
  ],
]

for (const [title, sides, fields, expected] of rows) {
  test(`a group of canaries: ${title}`, () => {
    const group = new Group(sides)
    const random = seededRandom(3)
    const found = new Set(Array.from({ length: 60 }, () => group.ask(fields, random).side))
    assert.deepEqual([...found].toSorted(), expected)
  })
}

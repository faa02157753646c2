import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fields } from '#src/exchange/fields.ts'
import type { VariableSource } from '#src/policies/variables.ts'
import { linkCanary } from '#src/proxy/canary.ts'
import type { LiveTarget } from '#src/proxy/live-rule.ts'
import type { Canary } from '#src/table/table.ts'
import { BackendSessions } from '#src/upstream/sessions.ts'

const unasked: Canary = { header: '', value: '', pattern: '', broken: false, cookie: '' }

/** A target as far as the choice looks at it. */
function targetOf(key: string, weight: number, eligible = 1): LiveTarget {
  const sessions = new BackendSessions(key)
  return {
    use: { weight },
    backend: { eligible, sessions },
    balancer: { sessions: 'endpoint', balance: { hashKey: [{ variable: 'cookie_sid' }] } },
  } as unknown as LiveTarget
}

function sourceOf(fields: Readonly<Record<string, string>>): VariableSource {
  const all = new Fields()
  for (const [name, value] of Object.entries(fields)) all.append(name, value)
  all.markSent()
  return { request: { fields: all } } as unknown as VariableSource
}

function sideFor(
  canary: Partial<Canary>,
  fields: Readonly<Record<string, string>>,
  { weight = 0, draw = 0, primaries = 1, canaries = 1 } = {},
): string {
  const targets = [targetOf('main', 100 - weight, primaries), targetOf('next', weight, canaries)]
  const chosen = linkCanary({ ...unasked, ...canary }).choose(sourceOf(fields), targets, () => draw)
  return chosen === targets[1] ? 'canary' : 'primary'
}

const header = { header: 'x-canary' }
const cookie = { cookie: 'try' }
const session = (key: string) => ({ Cookie: `a=b; sid=${new BackendSessions(key).valueAt(0)}` })

type Row = readonly [Partial<Canary>, Readonly<Record<string, string>>, object, string]
const rows: readonly Row[] = [
  [header, { 'X-Canary': 'always' }, {}, 'canary'],
  [header, { 'X-Canary': 'never' }, { weight: 100 }, 'primary'],
  [header, { 'X-Canary': 'Always' }, {}, 'primary'],
  [header, { 'X-Canary': 'other' }, { weight: 100 }, 'canary'],
  [{ ...header, value: 'v' }, { 'X-Canary': 'v' }, {}, 'canary'],
  [{ ...header, value: 'v' }, { 'X-Canary': 'always' }, {}, 'primary'],
  [{ ...header, value: 'v', pattern: '^p' }, { 'X-Canary': 'p' }, {}, 'primary'],
  [{ ...header, pattern: 'b.c' }, { 'X-Canary': 'abxcd' }, {}, 'canary'],
  [{ ...header, pattern: 'b.c' }, { 'X-Canary': 'ABXCD' }, {}, 'primary'],
  [{ ...header, value: 'ü' }, { 'X-Canary': '\u00c3\u00bc' }, {}, 'canary'],
  [{ ...header, pattern: '^ü$' }, { 'X-Canary': '\u00c3\u00bc' }, {}, 'canary'],
  [
    { ...header, ...cookie, pattern: '^p$' },
    { 'X-Canary': 'q', Cookie: 'try=always' },
    {},
    'canary',
  ],
  [
    { ...header, ...cookie, broken: true },
    { 'X-Canary': 'q', Cookie: 'try=always' },
    {},
    'primary',
  ],
  [{ ...header, ...cookie, broken: true }, { Cookie: 'try=always' }, {}, 'canary'],
  [{ ...header, ...cookie }, { 'X-Canary': 'always', Cookie: 'try=never' }, {}, 'canary'],
  [cookie, { Cookie: 'try=never' }, { weight: 100 }, 'primary'],
  [cookie, { Cookie: 'try=junk' }, {}, 'primary'],
  [unasked, {}, { weight: 20, draw: 0.199 }, 'canary'],
  [unasked, {}, { weight: 20, draw: 0.2 }, 'primary'],
  [unasked, {}, { weight: 0, draw: 0 }, 'primary'],
  [unasked, {}, { weight: 100, draw: 0.999_999 }, 'canary'],
  [header, { 'X-Canary': 'always', ...session('main') }, {}, 'primary'],
  [header, { 'X-Canary': 'never', ...session('next') }, {}, 'canary'],
  [header, { 'X-Canary': 'always', ...session('foreign') }, {}, 'canary'],
  [header, { 'X-Canary': 'always' }, { canaries: 0 }, 'primary'],
  [header, { 'X-Canary': 'always' }, { primaries: 0 }, 'primary'],
]

for (const [canary, fields, numbers, side] of rows) {
  test(`${JSON.stringify(canary)} ${JSON.stringify(fields)} ${JSON.stringify(numbers)}: ${side}`, () => {
    assert.equal(sideFor(canary, fields, numbers), side)
  })
}

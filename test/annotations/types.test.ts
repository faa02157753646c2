import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  cidr,
  covers,
  fieldName,
  hostname,
  isHostPattern,
  path,
  url,
} from '#src/annotations/names.ts'
import { buffers, duration, size } from '#src/annotations/quantities.ts'
import { bool, integer, integerOf, listOf, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'

interface Cases {
  readonly type: ValueType<unknown>
  readonly valid: readonly (readonly [text: string, value: unknown])[]
  readonly invalid: readonly string[]
}

const cases: Readonly<Record<string, Cases>> = {
  bool: {
    type: bool,
    valid: [
      ...['true', 'True', 'TRUE', 't', 'T', '1'].map((text) => [text, true] as const),
      ...['false', 'False', 'FALSE', 'f', 'F', '0'].map((text) => [text, false] as const),
    ],
    invalid: ['', 'yes', 'no', 'on', 'tRUE', 'true ', '2'],
  },
  integer: {
    type: integer(-1, 10),
    valid: [
      ['0', 0],
      ['-1', -1],
      ['+7', 7],
      ['010', 10],
    ],
    invalid: ['', '11', '-2', '1.5', '1e1', '0x1', 'ten', '99999999999999999999', '1 '],
  },
  integerOf: {
    type: integerOf([301, 308]),
    valid: [
      ['301', 301],
      ['308', 308],
    ],
    invalid: ['302', '0301', ''],
  },
  oneOf: {
    type: oneOf(['HTTP', 'HTTPS']),
    valid: [
      ['http', 'HTTP'],
      ['Https', 'HTTPS'],
    ],
    invalid: ['', 'HTT', 'HTTP '],
  },
  listOf: {
    type: listOf(integer(0, 9)),
    valid: [
      ['1', [1]],
      [' 1 , 2,3,', [1, 2, 3]],
      ['', []],
    ],
    invalid: ['1,x', '10', '1;2'],
  },
  size: {
    type: size,
    valid: [
      ['0', 0],
      ['512', 512],
      ['8k', 8192],
      ['1M', 1_048_576],
      ['2g', 2_147_483_648],
      ['7b', 7],
    ],
    invalid: ['', '15r', '-1', '1.5m', '1 m', 'm', '1mb', '9999999999999999g'],
  },
  duration: {
    type: duration,
    valid: [
      ['0', 0],
      ['60', 60_000],
      ['60s', 60_000],
      ['500ms', 500],
      ['5m', 300_000],
      ['1h30m', 5_400_000],
      ['2d', 172_800_000],
    ],
    invalid: ['', '-1', '1.5', '5 m', '5x', 'm', '1h30', '999999999999999'],
  },
  buffers: {
    type: buffers,
    valid: [
      ['4 8k', { count: 4, bytes: 8192 }],
      ['1  16384', { count: 1, bytes: 16_384 }],
    ],
    invalid: ['', '4', '8k 4', '0 8k', '4 0', '4 8k 1', '4,8k', '99999 8k'],
  },
  hostname: {
    type: hostname,
    valid: [
      ['a.example', 'a.example'],
      ['A.Example', 'a.example'],
      ['localhost', 'localhost'],
    ],
    invalid: ['', '*.a.example', 'a..b', '-a.b', 'a_b', '10.0.0.1', 'a.example.', 'a'.repeat(254)],
  },
  url: {
    type: url,
    valid: [
      ['http://a.example', 'http://a.example'],
      ['HTTPS://a.example/p?q#f', 'HTTPS://a.example/p?q#f'],
    ],
    invalid: [
      '',
      '/path',
      'ftp://a.example',
      'http://',
      'http://a b',
      'http://a.example/ü',
      'javascript:alert(1)',
    ],
  },
  fieldName: {
    type: fieldName,
    valid: [['X-Forwarded-For', 'X-Forwarded-For']],
    invalid: ['', 'a b', 'a:b', 'ä', 'a\r\nb'],
  },
  path: {
    type: path,
    valid: [['/.well-known', '/.well-known']],
    invalid: ['', 'x', '/a b', '/a?b'],
  },
  cidr: {
    type: cidr,
    valid: [
      ['10.0.0.0/8', '10.0.0.0/8'],
      ['2001:db8::/32', '2001:db8::/32'],
      ['192.0.2.1', '192.0.2.1'],
    ],
    invalid: [
      '',
      '10.0.0.0/33',
      '10.0.0/8',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      'fe80::1%eth0',
      'any',
    ],
  },
}

for (const [name, { type, valid, invalid }] of Object.entries(cases)) {
  for (const [text, value] of valid) {
    test(`${name} reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(type.parse(text), value)
      assert.deepEqual(type.parse(type.format(value)), value)
    })
  }
  for (const text of invalid) {
    test(`${name} refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.equal(type.parse(text), undefined)
    })
  }
  test(`${name} is total, and what it reads it can write`, () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
        const value = type.parse(text)
        type.explain?.(text)
        if (value !== undefined) assert.deepEqual(type.parse(type.format(value)), value)
      }),
    )
  })
}

test('every size and duration can be written and read back', () => {
  fc.assert(
    fc.property(fc.nat(), (count) => {
      assert.equal(size.parse(size.format(count)), count)
      assert.equal(duration.parse(duration.format(count)), count)
    }),
  )
})

test('a list says which item is wrong', () => {
  assert.equal(listOf(cidr).explain?.('10.0.0.0/8, nowhere'), '"nowhere" is not')
})

test('a pattern covers itself, and a wildcard exactly one label', () => {
  const rows = [
    ['a.example', 'a.example', true],
    ['a.example', 'b.example', false],
    ['*.example', 'a.example', true],
    ['*.example', '*.example', true],
    ['*.example', 'b.a.example', false],
    ['*.example', 'example', false],
    ['*.a.example', '*.b.a.example', false],
    ['a.example', '*.example', false],
  ] as const
  for (const [pattern, host, expected] of rows) {
    assert.equal(covers(pattern, host), expected, `${pattern} and ${host}`)
  }
})

test('host patterns are names, with at most one asterisk in front', () => {
  for (const good of ['a', 'a.example', '*.example', 'xn--bcher-kva.example']) {
    assert.ok(isHostPattern(good), good)
  }
  for (const bad of [
    '',
    '*',
    '*.',
    'a.*',
    '*.*.a',
    '**.a',
    'a*.b',
    '1.2.3.4',
    'a.example:80',
    'A.b',
    'a_b.c',
    '::1',
  ]) {
    assert.ok(!isHostPattern(bad), bad)
  }
})

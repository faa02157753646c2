import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FieldBlock } from '#src/exchange/field-block.ts'
import { Fields, toPairs } from '#src/exchange/fields.ts'
import { fieldId, fieldMask } from '#src/exchange/known-fields.ts'
import { PreparedFields, preparedNames } from '#src/exchange/prepared-fields.ts'

/** Fields as a codec records them: positions in the text of a head. */
function received(lines: readonly [string, string][]): Fields {
  const fields = new Fields()
  fields.text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  let at = 0
  for (const [name, value] of lines) {
    const nameEnd = at + name.length
    const valueEnd = nameEnd + 2 + value.length
    fields.addLine(fieldId(name.toLowerCase()), at, nameEnd, nameEnd + 2, valueEnd, valueEnd + 2)
    at = valueEnd + 2
  }
  return fields
}

test('received lines are copied as they came', () => {
  const fields = received([
    ['Accept', '*/*'],
    ['X-Odd', 'caf\u00e9'],
  ])
  assert.equal(fields.toLines(), 'Accept: */*\r\nX-Odd: caf\u00e9\r\n')
  assert.deepEqual(toPairs(fields), ['Accept', '*/*', 'X-Odd', 'caf\u00e9'])
})

test('removal, replacement and addition keep order and leave the rest alone', () => {
  const fields = received([
    ['A', '1'],
    ['Cookie', 'a=1'],
    ['B', '2'],
    ['cookie', 'b=2'],
    ['b', '3'],
    ['C', '4'],
  ])
  assert.equal(fields.getJoined('cookie', '; '), 'a=1; b=2')
  fields.removeKnown(fieldMask('cookie'))
  fields.remove('B')
  fields.set('c', 'five')
  fields.appendBlock(new FieldBlock(['X-Real-IP', '192.0.2.1']))
  assert.equal(fields.toLines(), 'A: 1\r\nc: five\r\nX-Real-IP: 192.0.2.1\r\n')
  assert.equal(fields.get('cookie'), undefined)
  assert.equal(fields.mask & fieldMask('cookie'), 0)
})

test('whatever is added, a field is one line of bytes', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, (value) => {
      const fields = new Fields()
      fields.append('a', value)
      fields.set('Cookie', value)
      const lines = fields.toLines()
      assert.match(lines, /^a: [\t -~\x80-\xff]*\r\nCookie: [\t -~\x80-\xff]*\r\n$/)
    }),
  )
  const fields = new Fields()
  fields.append('a', 'b\r\nc: \u010a\td\u00e9')
  assert.equal(fields.toLines(), 'a: b%0D%0Ac: %0A\td\u00e9\r\n')
})

test("what is set or removed by name is taken out of the block, and out of nobody else's", () => {
  const block = new FieldBlock(['X-Real-IP', '192.0.2.1', 'X-Scheme', 'http', 'X-Other', '1'])
  const fields = received([['A', '1']])
  fields.appendBlock(block)
  fields.set('x-scheme', 'https')
  fields.remove('X-REAL-IP')
  assert.equal(fields.toLines(), 'A: 1\r\nx-scheme: https\r\nX-Other: 1\r\n')
  assert.deepEqual(toPairs(fields), ['A', '1', 'x-scheme', 'https', 'X-Other', '1'])
  const others = received([])
  others.appendBlock(block)
  assert.equal(others.toLines(), block.lines)
  assert.equal(block.without('x-scheme'), block.without('x-scheme'))
  assert.equal(block.without('a'), block)
})

const beginnings: readonly (readonly [name: string, begins: boolean])[] = [
  ['x-id-', true],
  ['X-ID-a', true],
  ['x_id.a', true],
  ['x-id', false],
  ['x-ida', false],
  ['y-id-a', false],
  ['x1id-a', false],
]
for (const [name, begins] of beginnings) {
  test(`${name} begins with x-id-: ${begins}`, () => {
    const fields = received([
      ['before', ''],
      [name, '1'],
      ['x-id-', ''],
    ])
    fields.append(name, '2')
    assert.deepEqual(
      [fields.nameBegins(1, 'x-id-'), fields.nameBegins(3, 'x-id-')],
      [begins, begins],
    )
  })
}

/** As long as `X-A` modulo 32: told apart by more than its length. */
const longName = `X-${'b'.repeat(33)}`

const kinds = [
  'append',
  'set',
  'remove',
  'append-prepared',
  'set-prepared',
  'remove-prepared',
  'mask',
  'value',
  'at',
] as const

function preparedPairs({ names, values }: PreparedFields): [string, string][] {
  return names.map((name, i) => [name, values[i] as string])
}

test('of prepared fields with one name the last counts', () => {
  const prepared = PreparedFields.lastOf(['A', '1', 'Server', 's', 'a', '2'])
  assert.deepEqual(preparedPairs(prepared), [
    ['Server', 's'],
    ['a', '2'],
  ])
  assert.equal(prepared.lines, 'Server: s\r\na: 2\r\n')
})

/** Entries of a list of pairs, undefined where one was taken out. */
type Model = readonly (readonly [name: string, value: string] | undefined)[]

interface Edit {
  readonly kind: (typeof kinds)[number]
  readonly name: string
  readonly value: string
  readonly other: string
  readonly at: number
}

function without(model: Model, ...names: readonly string[]): Model {
  const lower = new Set(names.map((name) => name.toLowerCase()))
  return model.map((pair) => (pair && lower.has(pair[0].toLowerCase()) ? undefined : pair))
}

/** One object for the same fields, as rules have it. */
const allPrepared = new Map<string, PreparedFields>()

function kept(key: string, make: () => PreparedFields): PreparedFields {
  const prepared = allPrepared.get(key) ?? make()
  allPrepared.set(key, prepared)
  return prepared
}

/** Does the same to the fields and to a plain list of pairs; gives the list. */
function applyEdit(fields: Fields, model: Model, { kind, name, value, other, at }: Edit): Model {
  const prepared = kept(`${name} ${value} ${other}`, () =>
    PreparedFields.lastOf([name, value, other, 'x']),
  )
  switch (kind) {
    case 'append':
      fields.append(name, value)
      return [...model, [name, value]]
    case 'set':
      fields.set(name, value)
      return [...without(model, name), [name, value]]
    case 'remove':
      fields.remove(name)
      return without(model, name)
    case 'append-prepared':
      fields.appendPrepared(prepared)
      return [...model, ...preparedPairs(prepared)]
    case 'set-prepared':
      fields.setPrepared(prepared)
      return [...without(model, name, other), ...preparedPairs(prepared)]
    case 'remove-prepared':
      fields.removePrepared(kept(`${name} ${other}`, () => preparedNames([name, other])))
      return without(model, name, other)
    case 'mask':
      fields.removeKnown(fieldMask('cookie', 'server'))
      return without(model, 'cookie', 'server')
    case 'value': {
      const old = model[at]
      if (old === undefined) return model
      fields.setAt(at, value)
      return model.with(at, [old[0], value])
    }
    case 'at':
      break
  }
  if (at >= model.length) return model
  fields.removeAt(at)
  return model.with(at, undefined)
}

test('any edits agree with a plain list of pairs', () => {
  const name = fc.constantFrom('Host', 'Cookie', 'X-A', 'x-a', 'X-B', 'Server', 'accept', longName)
  const value = fc.stringMatching(/^[a-z]{0,8}$/)
  const edit = fc.record({
    kind: fc.constantFrom(...kinds),
    name,
    value,
    other: name,
    at: fc.nat(12),
  })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, value)),
      fc.array(edit),
      fc.nat(2),
      (lines, edits, copies) => {
        const origin = received(lines)
        let fields = origin
        for (let i = 0; i < copies; i++) {
          fields = new Fields()
          fields.copyReceived(origin)
          // What was done to the copy before must not show in this one.
          if (i < copies - 1) for (const one of edits) applyEdit(fields, [], one)
        }
        let model: Model = [...lines]
        for (const one of edits) model = applyEdit(fields, model, one)
        const pairs = model.filter((pair) => pair !== undefined)
        assert.deepEqual(toPairs(fields), pairs.flat())
        assert.equal(fields.toLines(), pairs.map(([n, v]) => `${n}: ${v}\r\n`).join(''))
        for (const key of ['host', 'cookie', 'x-a', 'x-c']) {
          assert.equal(fields.get(key), pairs.find(([n]) => n.toLowerCase() === key)?.[1])
        }
      },
    ),
  )
})

test('whatever is done to fields, they tell what the message came with', () => {
  const name = fc.constantFrom('Host', 'Cookie', 'X-A', 'x-a', 'X-B', 'Server', 'accept', longName)
  const value = fc.stringMatching(/^[a-z]{0,8}$/)
  // Nobody gives a field that was sent another value at its place.
  const kind = fc.constantFrom(...kinds.filter((one) => one !== 'value'))
  const edit = fc.record({ kind, name, value, other: name, at: fc.nat(12) })
  const named = edit.filter((one) => one.kind !== 'at')
  const lines = fc.array(fc.tuple(name, value))
  const check = (fields: Fields, sent: Model): void => {
    const pairs = sent.filter((pair) => pair !== undefined)
    const told: string[] = []
    fields.forEachSent((one, text) => told.push(one, text))
    assert.deepEqual(told, pairs.flat())
    for (const key of ['host', 'cookie', 'x-a', 'x-own', longName.toLowerCase()]) {
      const values = pairs.filter(([n]) => n.toLowerCase() === key).map(([, text]) => text)
      assert.equal(fields.getSent(key), values[0])
      assert.equal(
        fields.getSentJoined(key, '; '),
        values.length > 0 ? values.join('; ') : undefined,
      )
    }
  }
  fc.assert(
    fc.property(
      lines,
      fc.array(edit),
      fc.array(named),
      fc.boolean(),
      (sent, edits, more, copied) => {
        const origin = received(sent)
        const fields = copied ? new Fields() : origin
        if (copied) fields.copyReceived(origin)
        fields.markSent()
        for (const one of edits) applyEdit(fields, [], one)
        check(fields, sent)
        // What is accepted counts as sent, and not what was there of our own.
        const other = received(sent)
        other.markSent()
        other.append('X-Own', 'ours')
        const before = other.size
        let model: Model = sent
        for (const one of more) model = applyEdit(other, model, one)
        other.acceptChanges(before, 0)
        check(other, model)
        assert.equal(other.get('x-own'), 'ours')
        for (const one of edits) applyEdit(other, [], one)
        check(other, model)
      },
    ),
  )
})

test('a field that is taken out before changes are accepted is told nevertheless where that is wanted', () => {
  const fields = received([
    ['X-Forwarded-For', '192.0.2.1'],
    ['Cookie', 'a=b'],
  ])
  fields.markSent()
  fields.removeKnown(fieldMask('x-forwarded-for', 'cookie'))
  fields.acceptChanges(fields.size, fieldMask('x-forwarded-for'))
  assert.equal(fields.getSent('x-forwarded-for'), '192.0.2.1')
  assert.equal(fields.getSent('cookie'), undefined)
  assert.deepEqual(toPairs(fields), [])
})

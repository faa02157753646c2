import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FieldBlock } from '#src/exchange/field-block.ts'
import { Fields } from '#src/exchange/fields.ts'
import { HpackDecoder } from '#src/http2/hpack/decoder.ts'
import { sentFieldName } from '#src/http2/hpack/field-name.ts'
import { SentLines } from '#src/http2/hpack/sent-lines.ts'
import { HeadWriter } from '#src/http2/messages/head-writer.ts'
import { Output } from '#src/http2/session/output.ts'
import { frameHeaderBytes } from '#src/http2/protocol.ts'
import { memoryPair } from '#test/support/memory-pair.ts'

/** A field, and whether it comes as a line of HTTP/1.1. */
type Field = readonly [name: string, value: string, line: boolean]

function fieldsOf(list: readonly Field[]): Fields {
  const fields = new Fields()
  for (const [name, value, line] of list) {
    if (line) fields.text += `${name}:  ${value}\r\n`
  }
  let at = 0
  for (const [name, value, line] of list) {
    if (!line) {
      fields.append(name, value)
      continue
    }
    const valueStart = at + name.length + 3
    const valueEnd = valueStart + value.length
    fields.addLine(0, at, at + name.length, valueStart, valueEnd, valueEnd + 2)
    at = valueEnd + 2
  }
  return fields
}

const names = fc.constantFrom('Server', 'X-A', 'x-a', 'ETag', 'Set-Cookie', 'Content-Type', 'Date')
const values = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', 'a', 'text/html', 'Sun, 29 Nov 2026 07:00:00 GMT') },
  { weight: 1, arbitrary: fc.constant('v'.repeat(400)) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.integer({ min: 0x21, max: 0xff }), { maxLength: 40 })
      .map((codes) => String.fromCharCode(...codes.filter((code) => code !== 0x7f))),
  },
)
const heads = fc.array(fc.array(fc.tuple(names, values, fc.boolean()), { maxLength: 8 }), {
  maxLength: 60,
})

const blocks = [
  new FieldBlock(['X-Real-IP', '192.0.2.1', 'X-Forwarded-Host', 'a.example']),
  new FieldBlock(['X-Real-IP', '192.0.2.2']),
]

test('what a sequence of heads says does not depend on the lines met before', () => {
  fc.assert(
    fc.property(heads, (sequence) => {
      const [end] = memoryPair()
      const out = new Output(end)
      const writer = new HeadWriter(out, 4096)
      const decoder = new HpackDecoder(4096, 1 << 24)
      for (const [i, list] of sequence.entries()) {
        const start = out.length
        const fields = fieldsOf(list)
        const block = blocks[i % 3]
        if (block !== undefined) fields.appendBlock(block)
        writer.trailers(1, fields)
        const told: string[] = []
        const result = decoder.decode(out.buffer, start + frameHeaderBytes, out.length, {
          onField: (name, value, valid, neverIndexed) => {
            assert.ok(valid)
            assert.equal(neverIndexed, name.name === 'set-cookie')
            told.push(name.name, value)
          },
        })
        assert.equal(result, 'ok')
        assert.deepEqual(told, [
          ...list.flatMap(([name, value]) => [name.toLowerCase(), value]),
          ...(block?.pairs ?? []).map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text)),
        ])
      }
    }),
  )
})

test('a line is known from its second time on, unless it is a credential or long', () => {
  const cases = [
    { name: 'Content-Type', value: 'text/html', known: true },
    { name: 'Set-Cookie', value: 'a=b', known: false },
    { name: 'X-Long', value: 'v'.repeat(300), known: false },
  ]
  for (const { name, value, known } of cases) {
    const lines = new SentLines()
    const found = [1, 2, 3].map(() => lines.find(fieldsOf([[name, value, true]]), 0))
    assert.equal(found[0], undefined)
    assert.equal(found[1] !== undefined, known)
    assert.equal(found[1], found[2])
    if (!known) continue
    assert.equal(found[2]?.name, sentFieldName(name))
    assert.equal(found[2].value, value)
  }
})

test('a field that did not come as a line is not looked for', () => {
  const lines = new SentLines()
  const fields = fieldsOf([['x-a', 'a', false]])
  for (let i = 0; i < 3; i++) assert.equal(lines.find(fields, 0), undefined)
})

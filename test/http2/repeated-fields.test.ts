import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toPairs } from '#src/exchange/fields.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { HpackDecoder } from '#src/http2/hpack/decoder.ts'
import { HpackEncoder } from '#src/http2/hpack/encoder.ts'
import { sentFieldName } from '#src/http2/hpack/field-name.ts'
import { serverLimits } from '#src/http2/limits.ts'
import { RequestReader } from '#src/http2/messages/request-reader.ts'
import { Output } from '#src/http2/session/output.ts'
import { memoryPair } from '#test/support/memory-pair.ts'

type Field = readonly [name: string, value: string]

const pseudo: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'a.example'],
]
const names = fc.constantFrom('accept', 'user-agent', 'x-a', 'x-long-name', 'cookie', 'referer')
const values = fc.constantFrom('', 'a', 'b', 'text/html', 'v'.repeat(300), '\u00e9\u00ff')
const requests = fc.array(fc.array(fc.tuple(names, values), { maxLength: 8 }), { maxLength: 40 })

/** The requests as a server reads them one after the other; `tableBytes` 0: all fields are literals. */
function readAll(sequence: readonly (readonly Field[])[], tableBytes: number) {
  const [end] = memoryPair()
  const out = new Output(end)
  const encoder = new HpackEncoder(tableBytes)
  const decoder = new HpackDecoder(4096, 1 << 24)
  const reader = new RequestReader()
  return sequence.map((fields) => {
    const start = out.length
    encoder.begin(out)
    for (const [name, value] of [...pseudo, ...fields]) {
      encoder.field(out, sentFieldName(name), value)
    }
    reader.begin(128, serverLimits)
    assert.equal(decoder.decode(out.buffer, start, out.length, reader), 'ok')
    const head = reader.finish(true, true) as RequestHead
    return { pairs: toPairs(head.fields), lines: head.fields.toLines() }
  })
}

test('fields of the table become the same lines as those that come whole', () => {
  fc.assert(
    fc.property(requests, (sequence) => {
      const read = readAll(sequence, 4096)
      assert.deepEqual(read, readAll(sequence, 0))
      for (const { pairs, lines } of read) {
        let text = ''
        for (let i = 0; i < pairs.length; i += 2) text += `${pairs[i]}: ${pairs[i + 1]}\r\n`
        assert.equal(lines, text)
      }
    }),
  )
})

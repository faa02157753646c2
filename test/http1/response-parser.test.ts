import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPairs } from '#src/exchange/fields.ts'
import { releaseResponseHead } from '#src/exchange/heads.ts'
import { chunkedFraming } from '#src/http1/framing.ts'
import { ResponseParser, untilClose } from '#src/http1/response-parser.ts'
import type { AskedBy } from '#src/http1/response-parser.ts'

const parser = new ResponseParser()
const plain: AskedBy = { method: 'GET', upgrade: '' }

/** What a head was read as, in a form that compares. */
function read(text: string, asked = plain, bytesMax = 4096): Record<string, unknown> {
  const buffer = Buffer.from(`....${text}body`, 'latin1')
  const position = parser.parse(buffer, 4, buffer.length, bytesMax)
  if (position === -1) return { outcome: 'incomplete' }
  if (position < 0) return { outcome: parser.tooLarge ? 'too large' : 'malformed' }
  if (!parser.interpret(asked)) return { outcome: 'malformed' }
  const { framing, persistent } = parser
  const head = parser.takeHead()
  assert.equal(buffer.latin1Slice(position), 'body')
  const { status, reason, version, contentLength, upgrade } = head
  const fields = toPairs(head.fields).join('|')
  releaseResponseHead(head)
  return { status, reason, version, contentLength, upgrade, persistent, framing, fields }
}

function ok(lines: string, line = 'HTTP/1.1 200 OK'): string {
  return `${line}\r\n${lines}\r\n`
}

const head: AskedBy = { method: 'HEAD', upgrade: '' }
const upgrading: AskedBy = { method: 'GET', upgrade: 'websocket, other/1' }

/** Whole heads, and some of what they must be read as. */
const good: Record<string, [text: string, wanted: Record<string, unknown>, asked?: AskedBy]> = {
  'the least there is': [
    ok(''),
    {
      status: 200,
      reason: 'OK',
      version: 11,
      contentLength: -1,
      upgrade: '',
      persistent: false,
      framing: untilClose,
      fields: '',
    },
  ],
  'no reason': [ok('', 'HTTP/1.1 299 '), { status: 299, reason: '' }],
  'no reason and no space': [ok('', 'HTTP/1.1 200'), { status: 200, reason: '' }],
  'a reason of many words': [
    ok('', 'HTTP/1.1 404 Nicht da, \u00e4h'),
    { reason: 'Nicht da, \u00e4h' },
  ],
  'a status nobody knows': [ok('', 'HTTP/1.1 999 X'), { status: 999 }],
  length: [
    ok('Content-Length: 12\r\nX-A: 1\r\n'),
    { framing: 12, contentLength: 12, persistent: true, fields: 'X-A|1' },
  ],
  chunked: [
    ok('Transfer-Encoding: CHUNKED\r\nTrailer: X\r\n'),
    { framing: chunkedFraming, contentLength: -1, persistent: true, fields: 'Trailer|X' },
  ],
  'names with underscores stay': [
    ok('X_A: 1\r\nX.B: 2\r\nx_request_id: 3\r\n'),
    { fields: 'X_A|1|X.B|2|x_request_id|3' },
  ],
  'fields of the hop go': [
    ok(
      'Connection: X-Int, keep-alive\r\nX-Int: 1\r\nKeep-Alive: x\r\nProxy-Connection: x\r\nTE: x\r\nUpgrade: h2\r\n',
    ),
    { fields: '', upgrade: '' },
  ],
  close: [ok('Content-Length: 0\r\nConnection: close\r\n'), { persistent: false }],
  'HTTP/1.0': [ok('Content-Length: 0\r\n', 'HTTP/1.0 200 OK'), { persistent: false, version: 10 }],
  'HTTP/1.0 that keeps': [
    ok('Content-Length: 0\r\nConnection: keep-alive\r\n', 'HTTP/1.0 200 OK'),
    { persistent: true },
  ],
  'HEAD with a length': [ok('Content-Length: 12\r\n'), { framing: 0, contentLength: 12 }, head],
  'HEAD without': [ok(''), { framing: 0, contentLength: -1, persistent: true }, head],
  'HEAD of a chunked body': [
    ok('Transfer-Encoding: chunked\r\n'),
    { framing: 0, contentLength: -1, persistent: true },
    head,
  ],
  '304 with a length': [
    ok('Content-Length: 12\r\n', 'HTTP/1.1 304 Not Modified'),
    { framing: 0, contentLength: 12, persistent: true },
  ],
  '204': [ok('', 'HTTP/1.1 204 No Content'), { framing: 0, contentLength: 0, persistent: true }],
  '204 with a length of none': [
    ok('Content-Length: 0\r\n', 'HTTP/1.1 204 No Content'),
    { framing: 0, persistent: true },
  ],
  '204 with a body announced': [
    ok('Content-Length: 2\r\n', 'HTTP/1.1 204 No Content'),
    { framing: 0, persistent: false },
  ],
  '204 with chunks announced': [
    ok('Transfer-Encoding: chunked\r\n', 'HTTP/1.1 204 No Content'),
    { framing: 0, persistent: false },
  ],
  interim: [
    ok('Link: x\r\n', 'HTTP/1.1 103 Early Hints'),
    { status: 103, framing: 0, fields: 'Link|x' },
  ],
  '101': [
    ok('Connection: Upgrade\r\nUpgrade: WebSocket\r\n', 'HTTP/1.1 101 Switching Protocols'),
    { status: 101, upgrade: 'WebSocket', fields: '' },
    upgrading,
  ],
  '101 that does not say to what': [
    ok('', 'HTTP/1.1 101 Switching Protocols'),
    { upgrade: 'websocket, other/1' },
    upgrading,
  ],
  '426 says what it wants': [
    ok('Content-Length: 0\r\nConnection: upgrade\r\nUpgrade: TLS/1.3\r\n', 'HTTP/1.1 426 X'),
    { upgrade: 'TLS/1.3' },
  ],
}

for (const [name, [text, wanted, asked]] of Object.entries(good)) {
  test(`reads: ${name}`, () => {
    const result = read(text, asked)
    assert.deepEqual(
      Object.fromEntries(Object.keys(wanted).map((key) => [key, result[key]])),
      wanted,
    )
  })
}

const malformed: readonly string[] = [
  ok('', 'HTTP/2 200 OK'),
  ok('', 'HTTP/2.0 200 OK'),
  ok('', 'HTTP/1.1  200 OK'),
  ok('', 'HTTP/1.1 2000 OK'),
  ok('', 'HTTP/1.1 20 OK'),
  ok('', 'HTTP/1.1 099 OK'),
  ok('', 'HTTP/1.1 2x0 OK'),
  ok('', 'HTTP/1.1\t200 OK'),
  ok('', 'http/1.1 200 OK'),
  ok('', 'ICY 200 OK'),
  ok('', ' HTTP/1.1 200 OK'),
  ok('', '\r\nHTTP/1.1 200 OK'),
  ok('', 'HTTP/1.1 200 O\u0000K'),
  ok('', 'HTTP/1.1 200 O\rK'),
  'HTTP/1.1 200 OK\nX: 1\n\n',
  ok('X-A : 1\r\n'),
  ok('X-A: a\rb\r\n'),
  ok('X-A: a\u0000b\r\n'),
  ok('X-A: 1\r\n folded\r\n'),
  ok('X-A\r\n'),
  ok('Content-Length: 2\r\nContent-Length: 2\r\n'),
  ok('Content-Length: foo\r\n'),
  ok('Content-Length: 2, 2\r\n'),
  ok('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'),
  ok('Transfer-Encoding: foo\r\n'),
  ok('Transfer-Encoding: gzip, chunked\r\n'),
  ok('Transfer-Encoding: chunked\r\n', 'HTTP/1.0 200 OK'),
  ok('Content-Length: x\r\n', 'HTTP/1.1 204 No Content'),
]

test('refuses what is malformed', () => {
  for (const text of malformed) assert.deepEqual(read(text), { outcome: 'malformed' }, text)
})

function switching(upgrade: string): string {
  return ok(`Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`, 'HTTP/1.1 101 X')
}

test('101 only for what was asked', () => {
  assert.deepEqual(read(switching('websocket')), { outcome: 'malformed' })
  assert.deepEqual(read(switching('websocket'), head), { outcome: 'malformed' })
  assert.deepEqual(read(switching('third'), upgrading), { outcome: 'malformed' })
  const old = switching('websocket').replace('1.1', '1.0')
  assert.deepEqual(read(old, upgrading), { outcome: 'malformed' })
  assert.equal(read(switching('OTHER/1'), upgrading)['status'], 101)
})

test('the size of a head is bounded', () => {
  const text = ok(`X: ${'x'.repeat(100)}\r\n`)
  assert.equal(read(text, plain, text.length)['status'], 200)
  assert.deepEqual(read(text, plain, text.length - 1), { outcome: 'too large' })
  assert.deepEqual(read(ok('X: 1\r\n'.repeat(1001)), plain, 1 << 20), { outcome: 'too large' })
})

test('a head that is malformed leaves nothing to the next one', () => {
  read(ok('X-Left: 1\r\nContent-Length: 5\r\nContent-Length: 5\r\n'))
  assert.equal(read(ok('Y: 1\r\n'))['fields'], 'Y|1')
})

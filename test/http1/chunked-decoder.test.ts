import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPairs } from '#src/exchange/fields.ts'
import { ChunkedDecoder } from '#src/http1/chunked-decoder.ts'

interface Reading {
  readonly body: string
  readonly outcome: string
  readonly rest: string
  readonly trailers: string
}

/** Decodes text that comes in pieces of a size. */
function decode(text: string, size = text.length): Reading {
  const decoder = new ChunkedDecoder({ ignoreInvalidHeaders: true, underscoresInHeaders: false })
  const bytes = Buffer.from(text, 'latin1')
  let body = ''
  let position = 0
  while (position < bytes.length && outcomeOf(decoder) === 'more') {
    // A buffer of its own for each piece: nothing may be kept of the one before.
    const piece = Buffer.from(bytes.subarray(position, position + size))
    const at = decoder.read(piece, 0, piece.length)
    body += piece.latin1Slice(decoder.dataStart, decoder.dataEnd)
    position += at
  }
  const trailers = decoder.trailers === undefined ? '' : toPairs(decoder.trailers).join('|')
  return { body, outcome: outcomeOf(decoder), rest: bytes.latin1Slice(position), trailers }
}

function outcomeOf(decoder: ChunkedDecoder): string {
  if (decoder.done) return 'done'
  return decoder.failed ? decoder.problem : 'more'
}

const good: Record<string, [text: string, wanted: Partial<Reading>]> = {
  nothing: ['0\r\n\r\n', { body: '' }],
  chunks: ['5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET', { body: 'hello world', rest: 'GET' }],
  'data that looks like framing': ['7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n', { body: '0\r\n\r\n\r\n' }],
  'sizes in hex of any case': [
    'a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n',
    { body: '01234567890123456789a' },
  ],
  'leading zeros': ['0000000000000005\r\nhello\r\n00\r\n\r\n', { body: 'hello' }],
  extensions: ['5;a=b;c="d;\u00e9 \t"\r\nhello\r\n0 \t;x\r\n\r\n', { body: 'hello' }],
  trailers: ['0\r\nX-A: 1\r\nx-b:\t2 \r\n\r\nGET', { trailers: 'X-A|1|x-b|2', rest: 'GET' }],
  'trailers that may not be there': [
    '0\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: x\r\nContent-Type: x\r\nAuthorization: x\r\n' +
      'X-Forwarded-For: x\r\nX-Forwarded-New: x\r\nConnection: x\r\nSet-Cookie: x\r\nX_Y: x\r\nIf-Match: x\r\nGrpc-Status: 0\r\n\r\n',
    { trailers: 'Grpc-Status|0' },
  ],
}

for (const [name, [text, wanted]] of Object.entries(good)) {
  test(`decodes: ${name}`, () => {
    const whole = decode(text)
    assert.deepEqual(whole, { body: '', rest: '', trailers: '', outcome: 'done', ...wanted })
    for (const size of [1, 2, 3, 7])
      assert.deepEqual(decode(text, size), whole, `pieces of ${size}`)
  })
}

const malformed = [
  '\r\n',
  ' 5\r\nhello',
  '5 \r\nhello',
  '5\nhello',
  '+5\r\nhello',
  '-5\r\n',
  '0x5\r\nhello',
  'x\r\n',

  '5_0\r\n',
  '\t5\r\n',
  '5\rhello',
  '5\r\rhello',
  '5\r\nhelloX\r\n',
  '5\r\nhello\n0\r\n',
  '5\r\nhello\rX',

  '00000000000000005\r\n',
  '20000000000000\r\n',
  'FFFFFFFFFFFFFFFFF\r\n',
  '10000000000000005\r\n',
  '5;a\nb\r\n',
  '5;a\rb\r\n',
  '5;a\u0000\r\n',
  '5 x\r\n',
  '5 ; \u007f\r\n',
  '5\t\r\n',

  '0\r\nX\r\n\r\n',
  '0\r\nX : 1\r\n\r\n',
  '0\r\nX: 1\n\r\n',
  '0\r\nX: 1\r\n y\r\n\r\n',
  '0\r\n\n',
  '0\r\nX: a\rb\r\n\r\n',
  '0\r\n: 1\r\n\r\n',
  '0\r\n\rX\r\n\r\n',
]

test('refuses what is malformed', () => {
  for (const text of malformed) {
    for (const size of [text.length, 1]) {
      assert.equal(decode(text, size).outcome, 'malformed-body', JSON.stringify(text))
    }
  }
})

test('the largest size there is', () => {
  assert.equal(decode('1FFFFFFFFFFFFF\r\nx').outcome, 'more')
  assert.equal(decode('1FFFFFFFFFFFFF\r\nx').body, 'x')
})

test('extensions are bounded in the message, not in the chunk', () => {
  const chunk = `1;${'x'.repeat(1023)}\r\na\r\n`
  assert.equal(decode(`${chunk.repeat(16)}0\r\n\r\n`).outcome, 'done')
  assert.equal(decode(`${chunk.repeat(17)}0\r\n\r\n`).outcome, 'chunk-extensions-too-large')
  assert.equal(decode(`1${' '.repeat(20_000)}`).outcome, 'chunk-extensions-too-large')
})

function section(bytes: number): string {
  return `0\r\nX: ${'x'.repeat(bytes)}\r\n\r\n`
}

test('trailers are bounded', () => {
  for (const size of [100_000, 100]) {
    assert.equal(decode(section(16 * 1024 - 7), size).outcome, 'done')
    assert.equal(decode(section(16 * 1024), size).outcome, 'trailers-too-large')
  }
  assert.equal(decode(`0\r\n${'X: 1\r\n'.repeat(101)}\r\n`).outcome, 'malformed-body')
})

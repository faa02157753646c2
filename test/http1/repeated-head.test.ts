import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FieldBlock } from '#src/exchange/field-block.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { ResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { PreparedFields } from '#src/exchange/prepared-fields.ts'
import { requestText, responseText } from '#src/http1/head-text.ts'
import { RepeatedHead } from '#src/http1/repeated-head.ts'
import { RequestParser } from '#src/http1/request-parser.ts'
import { ResponseHeadReader } from '#src/http1/response-head-reader.ts'
import type { ResponseReading } from '#src/http1/response-parser.ts'
import { Relay, serverOptions } from './relay.ts'
import type { Recorder } from './relay.ts'

// A head that comes again on its connection is not read again; nobody must be able to tell.

const requests: Record<string, string> = {
  'a short one': 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'one with many fields':
    'GET /x?y=%zz HTTP/1.1\r\nHost: A.test:80\r\nX-A: 1\r\nx_odd: 2\r\nConnection: x-a, keep-alive\r\n' +
    'TE: trailers\r\nX-B:  \t b \t\r\nX-Forwarded-For: 192.0.2.1\r\nCookie: a=b\r\nX-B: \u00e9\r\n\r\n',
  'one with a body': 'POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody',
  'one with a chunked body':
    'PUT /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
  'one in absolute form':
    'GET http://b.test/x HTTP/1.1\r\nHost: a.test\r\nX-Long: 12345678\r\n\r\n',
  'OPTIONS that counts hops':
    'OPTIONS /x HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 7\r\nX-Long: 12345678\r\n\r\n',
  HEAD: 'HEAD /x HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'HTTP/1.0 that keeps the connection':
    'GET /x HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n',
  'one that waits for 100 (Continue)':
    'PUT /x HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok',
}

const responses: Record<string, string> = {
  'a short one': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'one with many fields':
    'HTTP/1.1 201 Made\r\nServer: u\r\nX-A: 1\r\nConnection: x-a\r\nDate: today\r\nSet-Cookie: a=b\r\n' +
    'Content-Length: 2\r\nSet-Cookie: c=d\r\nX-B: \u00e9\r\n\r\nok',
  'one without a body': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nETag: "1234567"\r\n\r\n',
  'a chunked one':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n2\r\nok\r\n0\r\nx: y\r\n\r\n',
}

/** What client and upstream got for the last of these, sent one after the other on a connection. */
function exchange(texts: readonly string[], answer: string): [client: string, upstream: string] {
  const relay = new Relay()
  relay.onUpstream = (upstream) => {
    upstream.onPiece = () => {
      // Requests come whole.
      upstream.connection.writeText(
        upstream.received.includes('HEAD ') ? withoutBody(answer) : answer,
      )
    }
  }
  const client = relay.client()
  for (const text of texts) {
    client.received = ''
    for (const upstream of relay.upstreams) upstream.received = ''
    relay.send(client, text)
  }
  return [client.received, relay.upstreams.map(({ received }) => received).join('|')]
}

function withoutBody(answer: string): string {
  return answer.slice(0, answer.indexOf('\r\n\r\n') + 4)
}

const ok = responses['a short one'] as string

for (const [name, text] of Object.entries(requests)) {
  test(`request heads: ${name} is the same each time`, () => {
    const once = exchange([text], ok)
    assert.match(once[1], /^(GET|POST|PUT|OPTIONS|HEAD) /)
    for (let times = 2; times <= 5; times++) {
      assert.deepEqual(exchange(Array<string>(times).fill(text), ok), once)
    }
  })
}

for (const [name, answer] of Object.entries(responses)) {
  test(`response heads: ${name} is the same each time`, () => {
    const text = requests['a short one'] as string
    const once = exchange([text], answer)
    assert.match(once[0], /^HTTP\/1\.1 [23]/)
    for (let times = 2; times <= 5; times++) {
      assert.deepEqual(exchange(Array<string>(times).fill(text), answer), once)
    }
  })
}

/** Bytes that mean something somewhere, and some that may stand nowhere. */
const telling = ['\0', '\r', '\n', ' ', ':', ',', '/', '%', '1', 'X', 'x', '\x7f', '\u00ff']

test('a head that differs in one byte is read by itself', () => {
  const first = requests['one with many fields'] as string
  for (let at = 0; at < first.length; at++) {
    for (const byte of telling) {
      const other = first.slice(0, at) + byte + first.slice(at + 1)
      assert.deepEqual(exchange([first, first, first, other], ok), exchange([other], ok), other)
    }
  }
})

test('so is one that begins like it, or ends early', () => {
  const first = requests['a short one'] as string
  for (const other of [
    `${first.slice(0, -2)}X: y\r\n\r\n`,
    first.slice(0, -2),
    first.slice(0, -1),
  ]) {
    assert.deepEqual(exchange([first, first, first, other], ok), exchange([other], ok))
  }
})

test('an answer that differs in one byte is read by itself', () => {
  const text = requests['a short one'] as string
  const first = responses['one with many fields'] as string
  for (let at = 0; at < first.indexOf('\r\n\r\n') + 4; at++) {
    for (const byte of telling) {
      const other = first.slice(0, at) + byte + first.slice(at + 1)
      const answers = [first, first, first, other]
      assert.deepEqual(
        answered([text, text, text, text], answers),
        answered([text], [other]),
        other,
      )
    }
  }
})

/** What the client got for the last request, each answered by its own text. */
function answered(texts: readonly string[], answers: readonly string[]): string {
  const relay = new Relay()
  let next = 0
  relay.onUpstream = (upstream) => {
    upstream.onPiece = () => upstream.connection.writeText(answers[next++] as string)
  }
  const client = relay.client()
  for (const text of texts) {
    client.received = ''
    relay.send(client, text)
  }
  // A body that lacks bytes, or lasts as long as its connection.
  relay.upstreams.at(-1)?.connection.end()
  relay.network.run()
  return client.received
}

test('the answer to HEAD and the same one to GET are two things', () => {
  const get = requests['a short one'] as string
  const head = requests['HEAD'] as string
  const whole = responses['one with many fields'] as string
  const bare = withoutBody(whole)
  const gets = answered([get, get, get, get], [whole, whole, whole, whole])
  assert.equal(answered([head, head, head, get], [bare, bare, bare, whole]), gets)
  assert.equal(answered([get, get, get, head], [whole, whole, whole, bare]), withoutBody(gets))
})

test('options that changed count for a head that was kept before', () => {
  const relay = new Relay()
  const text = 'GET /x HTTP/1.1\r\nHost: a.test\r\nx_odd: 1\r\n\r\n'
  relay.onUpstream = (upstream) => {
    upstream.onPiece = () => upstream.connection.writeText(ok)
  }
  const client = relay.client()
  const sent = (): string => {
    const upstream = relay.upstreams[0] as Recorder
    upstream.received = ''
    relay.send(client, text)
    return upstream.received
  }
  relay.send(client, text)
  assert.doesNotMatch(sent(), /x_odd/)
  assert.doesNotMatch(sent(), /x_odd/)
  relay.context.options = { ...serverOptions, underscoresInHeaders: true }
  for (let times = 0; times < 4; times++) assert.match(sent(), /x_odd: 1/)
  relay.context.options = serverOptions
  for (let times = 0; times < 4; times++) assert.doesNotMatch(sent(), /x_odd/)
})

test('a peer that repeats only lengths is not kept up with for long', () => {
  const heads = new RepeatedHead<number>()
  let kept = 0
  for (let i = 0; i < 100; i++) {
    const head = Buffer.from(`GET /${100 + i} HTTP/1.1\r\n\r\n`)
    assert.equal(heads.match(head, 0, head.length), undefined)
    if (!heads.wants(head.length)) continue
    kept++
    heads.keep(head, 0, head.length, i)
  }
  assert.equal(kept, 3)
})

test('one that repeats its heads, and changes them now and then, is', () => {
  const heads = new RepeatedHead<number>()
  let matched = 0
  for (let i = 0; i < 100; i++) {
    const head = Buffer.from(`GET /${100 + Math.floor(i / 10)} HTTP/1.1\r\n\r\n`)
    const reading = heads.match(head, 0, head.length)
    if (reading === undefined) {
      if (heads.wants(head.length)) heads.keep(head, 0, head.length, Math.floor(i / 10))
    } else {
      assert.equal(reading, Math.floor(i / 10))
      matched++
    }
  }
  assert.ok(matched >= 80, String(matched))
})

test('an answer that was kept is refused once it is longer than answers may be', () => {
  const answer = Buffer.from(responses['one with many fields'] as string, 'latin1')
  const size = answer.indexOf('\r\n\r\n') + 4
  const last = new RepeatedHead<ResponseReading>()
  const outcome = (bytesMax: number): string => {
    const reader = new ResponseHeadReader(last)
    reader.read(answer, 0, answer.length, bytesMax, { method: 'GET', upgrade: '' })
    return reader.outcome
  }
  for (let times = 0; times < 4; times++) assert.equal(outcome(size), 'whole')
  assert.ok(last.match(answer, 0, answer.length) !== undefined)
  assert.equal(outcome(size - 1), 'refused')
})

test('long heads are not kept', () => {
  const heads = new RepeatedHead<number>()
  heads.wants(4096)
  assert.equal(heads.wants(4096), false)
})

// What policies do to a head that repeats another is what they do to any head.

const names = [
  'X-A',
  'x-b',
  'Cookie',
  'Server',
  'Date',
  'X-Forwarded-For',
  'X-Request-ID',
  'X-None',
]
const name = fc.constantFrom(...names)
const value = fc.constantFrom('', 'one', 'two words')
const edit = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), name, value }),
  fc.record({ kind: fc.constant('set' as const), name, value }),
  fc.record({ kind: fc.constant('remove' as const), name, value }),
  fc.record({ kind: fc.constant('setAt' as const), name, value }),
  fc.record({ kind: fc.constant('prepared' as const), name, value }),
  fc.record({ kind: fc.constant('block' as const), name, value }),
)
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never

/** One object for the same fields, as rules have it. */
const allPrepared = new Map<string, PreparedFields>()

function prepared(on: string, text: string): PreparedFields {
  const key = `${on}: ${text}`
  const known = allPrepared.get(key) ?? PreparedFields.lastOf([on, text, 'X-P', text])
  allPrepared.set(key, known)
  return known
}

function apply(fields: Fields, edits: readonly Edit[]): void {
  for (const { kind, name: on, value: text } of edits) {
    if (kind === 'append') fields.append(on, text)
    else if (kind === 'set') fields.set(on, text)
    else if (kind === 'remove') fields.remove(on)
    else if (kind === 'prepared') fields.setPrepared(prepared(on, text))
    else if (kind === 'block') fields.appendBlock(new FieldBlock([on, text]))
    else {
      const at = names.indexOf(on)
      if (at < fields.size && fields.present(at)) fields.setAt(at, text)
    }
  }
}

const received =
  'GET /x HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\nServer: s\r\nx-b: 2\r\nCookie: c\r\nX-A: 3\r\nDate: d\r\n\r\n'

function readHead(): RequestHead {
  const parser = new RequestParser()
  const bytes = Buffer.from(received, 'latin1')
  assert.equal(parser.parse(bytes, 0, bytes.length, serverOptions), bytes.length)
  return parser.takeHead()
}

test('edits of a head that repeats another', () => {
  const parser = new RequestParser()
  const bytes = Buffer.from(received, 'latin1')
  parser.parse(bytes, 0, bytes.length, serverOptions)
  const reading = parser.reading()
  assert.ok(reading !== undefined)
  parser.takeHead()
  const origin = new ResponseHead()
  origin.status = 200
  origin.fields.copyReceived(reading.head.fields)
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 6 }), fc.constantFrom('/x', '/y'), (edits, target) => {
      const alone = readHead()
      parser.repeat(reading)
      const again = parser.takeHead()
      for (const head of [alone, again]) {
        apply(head.fields, edits)
        head.target = target
      }
      assert.equal(requestText(again, 'none', 11, ''), requestText(alone, 'none', 11, ''))
      assert.equal(requestText(again, 'none', 10, ''), requestText(alone, 'none', 10, ''))
      const answer = new ResponseHead()
      answer.copyReceived(origin)
      apply(answer.fields, edits)
      const wanted = new ResponseHead()
      wanted.status = 200
      wanted.fields.copyReceived(origin.fields)
      apply(wanted.fields, edits)
      assert.equal(responseText(answer, 'X: y\r\n'), responseText(wanted, 'X: y\r\n'))
      again.clear()
      assert.equal(again.fields.toLines(), '')
    }),
    { numRuns: 2000 },
  )
})

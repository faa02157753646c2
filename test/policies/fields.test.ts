import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressSet, addressList } from '#src/policies/address-set.ts'
import { policies } from '#src/policies/index.ts'
import { FieldBlock } from '#src/exchange/field-block.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { setRequestField } from '#src/policies/request-fields.ts'
import { readTemplate } from '#src/policies/template.ts'
import { contextOf, fakeExchange, fieldsOf, passResponse } from './exchanges.ts'

const {
  'response-cookies': cookies,
  'response-location': location,
  'custom-headers': custom,
  'add-headers': addHeaders,
  'request-fields': requestFields,
  'block-lists': blockLists,
} = policies

const members: readonly (readonly [cidrs: string, address: string, inside: boolean])[] = [
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.8', false],
  ['255.255.255.255/32', '255.255.255.255', true],
  ['128.0.0.0/1', '200.1.1.1', true],
  ['0.0.0.0/0', '203.0.113.1', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['2001:db8::/32', '2001:db8:1::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['::/0', '2001:db9::1', true],
  ['10.0.0.0/8', '::ffff:10.1.1.1', true],
]

for (const [cidrs, address, inside] of members) {
  test(`${cidrs} holds ${address}: ${inside}`, () => {
    assert.equal(new AddressSet(cidrs.split(',')).has(address), inside)
  })
}

test('a list keeps what is valid, and is invalid without any', () => {
  assert.deepEqual(addressList.parse('10.0.0.1, x ,'), ['10.0.0.1'])
  assert.equal(addressList.parse('x, 10.0.0.0/33'), undefined)
})

const setCookies: readonly (readonly [before: string, after: string])[] = [
  ['a=b; Domain=.in.example; Path=/one/two', 'a=b; Domain=.out.example; Path=/two'],
  ['a=b; domain=IN.example', 'a=b; domain=out.example'],
  ['a=b; Domain=x.in.example; Path=/two', 'a=b; Domain=x.in.example; Path=/two'],
  ['path=/one/x; Secure', 'path=/one/x; Secure'],
  // As nginx writes it anew: one space, and none around the sign; what stays is not touched.
  ['a = b;path = /one/x;;Secure', 'a=b; path=/x; Secure'],
  ['a = b;path = /two;Secure', 'a = b;path = /two;Secure'],
]

for (const [before, after] of setCookies) {
  test(`cookie ${before}`, () => {
    const phases = cookies.start({
      domain: { from: 'in.example', to: 'out.example' },
      path: { from: '/one/', to: '/' },
    })
    const { exchange, response } = fakeExchange({ answer: [['Set-Cookie', before]] })
    passResponse(phases, exchange)
    assert.deepEqual(fieldsOf(response?.fields), [['set-cookie', after]])
  })
}

test('cookies keep their order when one of them is rewritten', () => {
  const phases = cookies.start({ domain: undefined, path: { from: '/', to: '/app/' } })
  const answer = ['a=b; Path=/', 'c=d', 'e=f; Path=/x'].map((text) => ['Set-Cookie', text] as const)
  const { exchange, response } = fakeExchange({ answer })
  passResponse(phases, exchange)
  const values = fieldsOf(response?.fields).map(([, value]) => value)
  assert.deepEqual(values, ['a=b; Path=/app/', 'c=d', 'e=f; Path=/app/x'])
})

test('Location and Refresh of the upstream are rewritten, our own redirects are not', () => {
  const phases = location.start({
    from: 'http://in/',
    to: [{ text: 'https://' }, { variable: 'host' }, { text: '/' }],
  })
  const answer = [
    ['Location', 'http://in/a'],
    ['Refresh', '5; url=http://in/b'],
  ] as const
  const theirs = fakeExchange({ answer })
  passResponse(phases, theirs.exchange)
  assert.deepEqual(fieldsOf(theirs.response?.fields), [
    ['location', 'https://a.example/a'],
    ['refresh', '5; url=https://a.example/b'],
  ])
  const ours = fakeExchange({ answer, upstreamAddress: '' })
  passResponse(phases, ours.exchange)
  assert.equal(ours.response?.fields.get('location'), 'http://in/a')
})

function configure(data: Record<string, string>): [unknown, string[]] {
  const denied: string[] = []
  const context = contextOf(
    { 'global-allowed-response-headers': ['X-A'] },
    { data: () => data, deny: (_key, message) => denied.push(message) },
  )
  return [custom.configure({ 'custom-headers': 'extra' }, context), denied]
}

test('custom-headers takes names that are allowed, and denies the route for others', () => {
  assert.deepEqual(configure({ 'x-a': ' $host\n' }), [{ fields: ['x-a', '$host'] }, []])
  assert.match(configure({ 'X-B': '1' })[1][0] ?? '', /X-B/)
  assert.match(configure({ 'X-A': 'a\r\nX-B: 1' })[1][0] ?? '', /control/)
  assert.match(configure({ 'Content-Length': '1' })[1][0] ?? '', /proxy itself/)
})

test('variables of request fields are what each client sent, in whatever order they are set', () => {
  const fields = [
    { name: 'X-A', value: [{ text: 'ours' }] },
    { name: 'X-B', value: [{ variable: 'http_x_a' }] },
    { name: 'x-a', value: [{ text: 'last' }] },
    { name: 'X-C', value: [{ text: 'from ' }, { variable: 'remote_addr' }] },
  ]
  const phases = requestFields.start({ fields, originalUri: false })
  for (const [sent, clientAddress] of [
    ['theirs', '198.51.100.1'],
    ['theirs', '198.51.100.2'],
    // What comes again is put together once.
    ['theirs', '198.51.100.2'],
    ['theirs', '198.51.100.2'],
    ['', '198.51.100.2'],
    ['', '198.51.100.2'],
    ['theirs', '198.51.100.2'],
    ['', '198.51.100.1'],
  ] as const) {
    const given = sent === '' ? {} : { 'X-A': sent }
    const { exchange, request } = fakeExchange({
      clientAddress,
      fields: { ...given, 'X-B': 'b', 'x-c': 'c' },
    })
    phases.requestHead?.(exchange)
    const own = ['x-a', 'last', 'X-C', `from ${clientAddress}`]
    assert.deepEqual(toPairs(request.fields), sent === '' ? own : ['X-B', sent, ...own])
  }
})

test('request fields are set, taken away, and never touch the framing', () => {
  const reports: string[] = []
  const config = requestFields.configure(
    {},
    contextOf(
      { 'proxy-set-headers': 'a/b', 'proxy-add-original-uri-header': true },
      {
        data: () => ({
          'X-Client': '$remote_addr',
          'X-Gone': '',
          Connection: 'close',
          'X-Bad': '$what',
        }),
        report: (_key, message) => reports.push(message),
      },
    ),
  )
  assert.equal(reports.length, 2)
  const { exchange, request } = fakeExchange({ target: '/a?b', fields: { 'x-gone': '1' } })
  requestFields.start(structuredClone(config as NonNullable<typeof config>)).requestHead?.(exchange)
  assert.deepEqual(fieldsOf(request.fields), [
    ['x-original-uri', '/a?b'],
    ['x-client', '198.51.100.7'],
  ])
})

test('what the proxy sends itself is replaced, and Host by nothing but a host', () => {
  const { exchange, request } = fakeExchange({ fields: { 'X-A': '1' } })
  request.fields.appendBlock(
    new FieldBlock(['X-Forwarded-Proto', 'http', 'X-Real-IP', '192.0.2.1']),
  )
  for (const [name, text] of [
    ['x-forwarded-proto', 'https'],
    ['X-Real-IP', ''],
    ['Host', 'b.example:81'],
    ['Host', 'c.example/'],
    ['Host', ''],
  ] as const) {
    setRequestField(exchange, name, text)
  }
  assert.equal(request.authority, 'b.example:81')
  assert.deepEqual(fieldsOf(request.fields), [
    ['x-a', '1'],
    ['x-forwarded-proto', 'https'],
  ])
})

test('add-headers sets what has a value, and takes away what has none', () => {
  const { exchange, response } = fakeExchange({ answer: [['x-gone', '1']], target: '/?b=2' })
  const fields = [
    { name: 'X-Arg', value: [{ variable: 'arg_b' }] },
    { name: 'X-None', value: [{ variable: 'arg_c' }] },
    { name: 'X-Gone', value: [] },
  ]
  passResponse(addHeaders.start({ fields }), exchange)
  assert.deepEqual(fieldsOf(response?.fields), [['x-arg', '2']])
})

test('fields are set in their order; a value that comes to nothing takes its field away', () => {
  const list = ['A: one', 'B: $http_x', 'C:', 'a: $remote_addr', 'D: $arg_none', 'E: two'].map(
    (line) => {
      const [name = '', value = ''] = line.split(/: ?/)
      const reading = readTemplate(value, false)
      return { name, value: 'template' in reading ? reading.template : [] }
    },
  )
  const { exchange, response } = fakeExchange({
    fields: { X: 'x' },
    answer: [
      ['c', '1'],
      ['d', '2'],
      ['F', '3'],
    ],
  })
  passResponse(addHeaders.start({ fields: list }), exchange)
  assert.deepEqual(fieldsOf(response?.fields), [
    ['f', '3'],
    ['b', 'x'],
    ['a', '198.51.100.7'],
    ['e', 'two'],
  ])
})

test('$http_host of a request field is the client, whatever the upstream is told', () => {
  const { exchange, request } = fakeExchange({ fields: { X: 'other.example' } })
  requestFields
    .start({
      fields: [
        { name: 'Host', value: [{ variable: 'http_x' }] },
        { name: 'X-Host', value: [{ variable: 'http_host' }] },
      ],
      originalUri: false,
    })
    .requestHead?.(exchange)
  assert.equal(request.authority, 'other.example')
  assert.equal(request.fields.get('x-host'), 'a.example')
})

const blocked: readonly (readonly [fields: Record<string, string>, refused: boolean])[] = [
  [{ 'User-Agent': 'Mozilla BADbot' }, true],
  [{ 'User-Agent': 'crawler' }, true],
  [{ 'User-Agent': 'crawler2' }, false],
  [{ Referer: 'http://spam.example' }, true],
  [{ Referer: 'http://SPAM.example' }, false],
  [{ 'User-Agent': Buffer.from('a бот 1').toString('latin1') }, true],
  [{ 'User-Agent': Buffer.from('ü').toString('latin1') }, true],
  [{}, false],
]

for (const [fields, refused] of blocked) {
  test(`blocked ${JSON.stringify(fields)}: ${refused}`, () => {
    const phases = blockLists.start({
      cidrs: [],
      userAgents: ['~*badbot', 'Crawler', '~бот', 'ü'],
      referers: ['~spam'],
    })
    const { exchange, replies } = fakeExchange({ fields })
    phases.requestHead?.(exchange)
    assert.deepEqual(replies, refused ? [{ status: 403 }] : [])
  })
}

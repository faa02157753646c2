import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesOrigin, originList } from '#src/policies/cors-origins.ts'
import { policies } from '#src/policies/index.ts'
import { CONTINUE, REPLY } from '#src/policies/policy.ts'
import { fakeExchange, fieldsOf, passResponse } from './exchanges.ts'

const origins: readonly (readonly [list: string, origin: string, allowed: boolean])[] = [
  ['https://a.example:8080', 'https://a.example:8080', true],
  ['https://a.example:8080', 'https://a.example', false],
  ['https://a.example', 'https://A.EXAMPLE', true],
  ['https://a.example', 'https://xa.example', false],
  ['https://a.example', 'https://a.example.evil.example', false],
  ['https://foo.bar', 'https://fooxbar', false],
  ['http://*.a.example', 'http://b.a.example', true],
  ['http://*.a.example', 'http://c.b.a.example', false],
  ['http://*.a.example', 'http://a.example', false],
  ['http://*.a.example', 'http://.a.example', false],
  ['http://*.a.example', 'http://evil.example#.a.example', false],
  ['http://*.a.example:8080', 'http://b.a.example:8080', true],
  ['http://*.a.example:8080', 'http://b.a.example', false],
  ['a.example', 'http://a.example', false],
]

for (const [list, origin, allowed] of origins) {
  test(`${list} allows ${origin}: ${allowed}`, () => {
    assert.equal(matchesOrigin(originList.parse(list) ?? [], origin), allowed)
  })
}

test('what is no origin is left out; a list of nothing else is invalid', () => {
  assert.equal(
    originList.format(originList.parse('https://a.example, b c,') ?? []),
    'https://a.example',
  )
  assert.match(originList.warn?.('https://a.example, b c') ?? '', /"b c"/)
  assert.equal(originList.parse('b c, *.*'), undefined)
})

const listed = policies.cors.start({
  origins: originList.parse('https://a.example') ?? [],
  fields: ['Access-Control-Max-Age', '60'],
})
const everyone = policies.cors.start({ origins: undefined, fields: [] })

function asked(origin: string) {
  return fakeExchange({ method: 'OPTIONS', fields: { Origin: origin } })
}

const preflights = [
  { phases: listed, exchange: asked('https://a.example').exchange, verdict: REPLY },
  { phases: listed, exchange: asked('https://b.example').exchange, verdict: CONTINUE },
  { phases: everyone, exchange: asked('https://b.example').exchange, verdict: REPLY },
  { phases: everyone, exchange: fakeExchange({}).exchange, verdict: CONTINUE },
]

test('a preflight is answered where its origin is allowed', () => {
  for (const { phases, exchange, verdict } of preflights) {
    assert.equal(phases.requestHead?.(exchange), verdict)
  }
})

test('fields replace those of the upstream for a listed origin, and are absent for others', () => {
  const answer = [['Access-Control-Allow-Origin', 'https://own.example']] as const
  const ours = fakeExchange({ fields: { Origin: 'https://a.example' }, answer })
  passResponse(listed, ours.exchange)
  assert.deepEqual(fieldsOf(ours.response?.fields), [
    ['vary', 'Origin'],
    ['access-control-allow-origin', 'https://a.example'],
    ['access-control-max-age', '60'],
  ])
  const foreign = fakeExchange({ fields: { Origin: 'https://b.example' }, answer: [] })
  passResponse(listed, foreign.exchange)
  assert.deepEqual(fieldsOf(foreign.response?.fields), [['vary', 'Origin']])
})

test('without a list the origin is *', () => {
  const { exchange, response } = fakeExchange({ answer: [] })
  passResponse(everyone, exchange)
  assert.deepEqual(fieldsOf(response?.fields), [['access-control-allow-origin', '*']])
})

test('an origin in another case, or of a pattern, is sent back as it came', () => {
  const phases = policies.cors.start({
    origins: originList.parse('https://a.example,https://*.b.example'),
    fields: ['Access-Control-Max-Age', '60'],
  })
  for (const origin of ['https://A.example', 'https://x.b.example']) {
    const { exchange, response } = fakeExchange({ fields: { Origin: origin }, answer: [] })
    passResponse(phases, exchange)
    assert.deepEqual(fieldsOf(response?.fields), [
      ['vary', 'Origin'],
      ['access-control-allow-origin', origin],
      ['access-control-max-age', '60'],
    ])
  }
})

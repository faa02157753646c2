import assert from 'node:assert/strict'
import { test } from 'node:test'
import { variableReader, variableValue } from '#src/policies/variables.ts'
import { fakeExchange } from './exchanges.ts'

const basic = (user: string): string => `Basic ${Buffer.from(`${user}:secret`).toString('base64')}`

for (const [variable, given, value] of [
  ['uri', { path: '/a b' }, '/a b'],
  ['uri', { path: '/a\r\nX-Evil: 1' }, '/a%0D%0AX-Evil: 1'],
  ['uri', { path: '/\u007f\u0001' }, '/%7F%01'],
  ['document_uri', { path: '/a\r\nX-Evil: 1' }, '/a%0D%0AX-Evil: 1'],
  ['remote_user', { fields: { Authorization: basic('ann') } }, 'ann'],
  ['remote_user', { fields: { Authorization: basic('ann\r\nX-Evil: 1') } }, 'ann%0D%0AX-Evil'],
  ['remote_user', { fields: { Authorization: 'Bearer x' } }, ''],
  ['cookie_sid', { fields: { Cookie: 'a=b, sid=1,x=2' } }, '1,x=2'],
  ['cookie_sid', { fields: { Cookie: 'a=b; SID = 1 ;x=2' } }, '1 '],
  ['cookie_sid', { fields: { Cookie: 'sid; xsid=1; sid=' } }, ''],
  ['cookie_x', { fields: { Cookie: 'sid; xsid=1; sid=;x=2' } }, '2'],
  ['args', { target: '/new?y=2&x=1', originalTarget: '/old?x=1' }, 'y=2&x=1'],
  ['arg_y', { target: '/new?y=2&x=1', originalTarget: '/old?x=1' }, '2'],
  ['is_args', { target: '/new', originalTarget: '/old?x=1' }, ''],
  ['uri', { target: '/n%20w?y', path: '/old', originalTarget: '/old' }, '/n w'],
  ['uri', { target: '/%0D%0A%zz', path: '/old', originalTarget: '/old' }, '/%0D%0A%zz'],
  ['request_uri', { target: '/new?y', originalTarget: '/old?x' }, '/old?x'],
] as const) {
  test(`$${variable} of ${JSON.stringify(given)}: ${JSON.stringify(value)}`, () => {
    assert.equal(variableValue(fakeExchange(given).exchange, variable), value)
  })
}

test('values of fields that came more than once are joined, as in nginx since 1.23', () => {
  const { exchange, request } = fakeExchange({ fields: { 'X-A': '1', Cookie: 'a=1' } })
  request.fields.append('X-A', '2')
  request.fields.append('Cookie', 'b=2')
  request.fields.markSent()
  request.fields.append('X-A', 'of ours')
  for (const [name, value] of [
    ['http_x_a', '1, 2'],
    ['http_cookie', 'a=1; b=2'],
    ['cookie_b', '2'],
  ] as const) {
    assert.equal(variableValue(exchange, name), value)
    assert.equal(variableReader(name)(exchange), value)
  }
})

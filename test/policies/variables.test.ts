import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderTemplate } from '#src/policies/template.ts'
import { variableValue } from '#src/policies/variables.ts'
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
] as const) {
  test(`$${variable} of ${JSON.stringify(given)}: ${JSON.stringify(value)}`, () => {
    assert.equal(variableValue(fakeExchange(given).exchange, variable), value)
  })
}

test('whatever variables hold, a template gives one line of bytes', () => {
  const given = {
    path: '/a\r\nX-Evil: 1',
    host: 'a\0b',
    requestId: '\n',
    fields: { 'X-A': 'a\u0100\tb', Cookie: 'c=\u001b' },
  }
  const { exchange } = fakeExchange(given)
  const names = ['document_uri', 'uri', 'host', 'request_id', 'http_x_a', 'cookie_c']
  const parts = names.flatMap((variable) => [{ variable }, { text: '|' }])
  assert.equal(
    renderTemplate([...parts, { group: 1 }], exchange, ['', 'x\r\n']),
    '/a%0D%0AX-Evil: 1|/a%0D%0AX-Evil: 1|a%00b|%0A|a%00\tb|%1B|x%0D%0A',
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyAccess, deny } from '#src/policies/access.ts'
import { basicAuth } from '#src/policies/basic-auth.ts'
import type { BasicAuthConfig } from '#src/policies/basic-auth.ts'
import { CONTINUE, REPLY } from '#src/policies/policy.ts'
import { contextOf, fakeExchange } from './exchanges.ts'
import type { Given } from './exchanges.ts'

const options = { 'no-auth-locations': ['/open'] }
const values = {
  'auth-type': 'basic',
  'auth-secret': 'users',
  'auth-secret-type': 'auth-file',
  'auth-realm': 'the "staff"',
  satisfy: 'all',
} as const

function configOf(
  changes: object,
  data: Readonly<Record<string, string>> | undefined,
  path = '/',
): { config: BasicAuthConfig | undefined; denied: string[]; reports: string[] } {
  const denied: string[] = []
  const reports: string[] = []
  const context = contextOf(options, {
    path,
    data: () => data,
    deny: (key) => denied.push(key),
    report: (_key, message) => reports.push(message),
  })
  return { config: basicAuth.configure({ ...values, ...changes }, context), denied, reports }
}

const file = {
  auth: '# users\na:{PLAIN}x:y\nb:{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=:remark\na:{PLAIN}second\n',
}
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

function run(authorization: string | undefined, config: BasicAuthConfig, given: Given = {}) {
  const fields = authorization === undefined ? {} : { Authorization: authorization }
  const fake = fakeExchange({ fields, ...given })
  const phases = basicAuth.start(config)
  const verdict = phases.requestHead?.(fake.exchange)
  return { ...fake, verdict, phases }
}

const { config } = configOf({}, file)

for (const [authorization, passes] of [
  [basic('a:x:y'), true],
  [basic('b:bar'), true],
  [basic('a:second'), false],
  [basic('a:'), false],
  [basic('nobody:x:y'), false],
  [basic('a'), false],
  ['Basic', false],
  ['Basic !!!', false],
  ['Bearer abc', false],
  [undefined, false],
] as const) {
  test(`${authorization}: ${passes ? 'passes' : '401'}`, () => {
    const { verdict, replies } = run(authorization, config as BasicAuthConfig)
    assert.equal(verdict, passes ? CONTINUE : REPLY)
    const challenge = ['WWW-Authenticate', String.raw`Basic realm="the \"staff\""`]
    assert.deepEqual(replies, passes ? [] : [{ status: 401, fields: challenge }])
  })
}

test('credentials do not reach the upstream; another scheme stays', () => {
  const { exchange, request, phases } = run(basic('b:bar'), config as BasicAuthConfig)
  phases.upstreamChosen?.(exchange)
  assert.equal(request.fields.get('authorization'), undefined)
  request.fields.append('Authorization', 'Bearer inner')
  phases.upstreamChosen?.(exchange)
  assert.equal(request.fields.get('authorization'), 'Bearer inner')
})

test('where any may let in, the answer waits for the end', () => {
  const any = { ...(config as BasicAuthConfig), any: true }
  const { exchange, replies, verdict } = run(basic('a:wrong'), any)
  assert.equal(verdict, CONTINUE)
  assert.equal(anyAccess.start({}).requestHead?.(exchange), REPLY)
  assert.equal(replies[0]?.status, 401)
  const right = run(basic('b:bar'), any)
  assert.equal(anyAccess.start({}).requestHead?.(right.exchange), CONTINUE)
  assert.equal(run(undefined, any, { accessGranted: true }).verdict, CONTINUE)
})

test('where any may let in, each of them says how', () => {
  const any = { ...(config as BasicAuthConfig), any: true }
  const { exchange, replies } = run(undefined, any)
  const other = { status: 401, fields: ['WWW-Authenticate', 'Bearer'] }
  assert.equal(deny(exchange, true, other), CONTINUE)
  assert.equal(deny(exchange, true, { status: 403 }), CONTINUE)
  anyAccess.start({}).requestHead?.(exchange)
  const own = ['WWW-Authenticate', String.raw`Basic realm="the \"staff\""`]
  assert.deepEqual(replies, [{ status: 401, fields: [...own, ...other.fields] }])
})

test('who may not be protected is refused, and what needs no protection has none', () => {
  assert.equal(configOf({}, file, '/open/door').config, undefined)
  assert.equal(configOf({ 'auth-type': 'none' }, file).config, undefined)
  assert.deepEqual(configOf({ 'auth-secret': '' }, undefined).denied, ['auth-type'])
  assert.deepEqual(configOf({}, { other: '' }).denied, ['auth-secret'])
  const map = configOf({ 'auth-secret-type': 'auth-map' }, { a: '{PLAIN}x\n', b: 'secret' })
  assert.deepEqual(map.config?.credentials, ['a', '{PLAIN}x'])
  assert.equal(map.reports.length, 1)
  assert.ok(!map.reports[0]?.includes('secret'), 'a hash is never shown')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '#src/policies/limits.ts'
import type { LimitsConfig } from '#src/policies/limits.ts'
import { CONTINUE, REPLY } from '#src/policies/policy.ts'
import type { PolicyExchange, Reply } from '#src/policies/policy.ts'

const config: LimitsConfig = {
  name: 'shop/web',
  connections: 2,
  perSecond: 4,
  perMinute: 6,
  burstMultiplier: 3,
  exempt: ['192.0.2.0/24'],
  rateStatus: 429,
  connectionStatus: 420,
}

/** What the policy asks for, answered with `false` for the limit `full`. */
function run(clientAddress: string, full: string) {
  const asked: string[] = []
  const replies: Reply[] = []
  const answer = (name: string, text: string): boolean => {
    asked.push(text)
    return name !== full
  }
  const exchange = {
    clientAddress,
    acquire: (name: string, max: number) => answer(name, `${name}: ${max}`),
    admit: (name: string, rate: object) => answer(name, `${name}: ${JSON.stringify(rate)}`),
    reply(reply: Reply) {
      replies.push(reply)
      return REPLY
    },
  } as unknown as PolicyExchange
  const verdict = limits.start(config).requestHead?.(exchange)
  return { asked, status: replies[0]?.status, verdict }
}

test('each limit is asked, with the burst beside the request that is due', () => {
  const { asked, verdict } = run('198.51.100.1', '')
  assert.equal(verdict, CONTINUE)
  assert.deepEqual(asked, [
    'second shop/web: {"intervalMs":250,"toleranceMs":3000}',
    'minute shop/web: {"intervalMs":10000,"toleranceMs":180000}',
    'connections shop/web: 2',
  ])
})

test('refusals have the status of their kind', () => {
  assert.equal(run('198.51.100.1', 'connections shop/web').status, 420)
  assert.equal(run('198.51.100.1', 'second shop/web').status, 429)
  assert.equal(run('198.51.100.1', 'minute shop/web').status, 429)
})

test('an exempt client is asked nothing', () => {
  assert.deepEqual(run('192.0.2.7', 'second shop/web').asked, [])
})

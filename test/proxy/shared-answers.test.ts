import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { AnswerCache } from '#src/policies/external-auth-cache.ts'
import type { AuthAnswer } from '#src/policies/external-auth-cache.ts'
import { SharedAnswers } from '#src/proxy/shared-answers.ts'

const allowed: AuthAnswer = {
  status: 200,
  fields: ['X-User', 'ann'],
  cookies: ['a=1', 'b=2'],
  challenge: '',
}

/** A cache that says when an answer of another worker has come. */
class Listening extends AnswerCache {
  readonly #heard = new Map<string, () => void>()

  override take(key: string, answer: AuthAnswer, until: number): void {
    super.take(key, answer, until)
    this.#heard.get(key)?.()
  }

  async hear(wanted: string): Promise<void> {
    await new Promise<void>((resolve) => this.#heard.set(wanted, resolve))
  }
}

/** Two workers of one process, with the clock of the first. */
function startPair(t: TestContext, answersPerSecond: number) {
  const name = `test-${crypto.randomUUID()}`
  const state = { nowMs: 0, leftOut: 0 }
  const options = {
    answersPerSecond,
    now: () => state.nowMs,
    onLeftOut: () => {
      state.leftOut++
    },
  }
  const worker = (): Listening => {
    const cache = new Listening()
    const shared = new SharedAnswers(name, cache, options)
    t.after(() => {
      shared.close()
    })
    return cache
  }
  // Channels alone keep no process going, as it must be in a worker; a test that waits for one would end.
  const waiting = setInterval(() => undefined, 1000)
  t.after(() => {
    clearInterval(waiting)
  })
  return { state, one: worker(), other: worker() }
}

test('an answer that one worker keeps is kept by the other', async (t) => {
  const { one, other } = startPair(t, 10)
  const heard = other.hear('key')
  one.set('key', allowed, 5000)
  await heard
  assert.deepEqual(other.get('key', 4999), allowed)
  assert.equal(other.get('key', 5000), undefined)
})

test('what is told in a second is bounded, in number and in length', async (t) => {
  const { state, one, other } = startPair(t, 2)
  for (const key of ['a', 'b', 'c']) one.set(key, allowed, 5000)
  assert.equal(state.leftOut, 1)
  state.nowMs = 1000
  one.set('d', { ...allowed, fields: ['X-Long', 'x'.repeat(20_000)] }, 5000)
  assert.equal(state.leftOut, 2)
  const heard = other.hear('e')
  one.set('e', allowed, 5000)
  await heard
  const known = ['a', 'b', 'c', 'd', 'e'].map((key) => other.get(key, 0) !== undefined)
  assert.deepEqual(known, [true, true, false, false, true])
})

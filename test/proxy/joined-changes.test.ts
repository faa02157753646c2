import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FieldChange } from '#src/exchange/field-change.ts'
import { Fields, toPairs } from '#src/exchange/fields.ts'
import { RequestHead } from '#src/exchange/heads.ts'
import { CONTINUE } from '#src/policies/policy.ts'
import type { Phases } from '#src/policies/policy.ts'
import { joinChanges } from '#src/proxy/joined-changes.ts'
import { fakeExchange } from '#test/policies/exchanges.ts'

const names = ['Vary', 'Server', 'X-A', 'x-a', 'X-B', 'Set-Cookie', 'Set-cookie'] as const
const pairs = fc
  .array(fc.tuple(fc.constantFrom(...names), fc.constantFrom('1', '2')), { maxLength: 3 })
  .map((list) => list.flat())
const change = fc.oneof(
  pairs.map((list) => FieldChange.setting(list)),
  pairs.map((list) => FieldChange.adding(list)),
  fc.array(fc.constantFrom(...names), { maxLength: 2 }).map((list) => FieldChange.removing(list)),
)
/** Changes that are chosen, each by the number that the request has for a host, or are not. */
const policy = fc.oneof(
  fc.record({ kind: fc.constant('change' as const), changes: fc.tuple(change, change) }),
  fc.record({ kind: fc.constant('choice' as const), changes: fc.tuple(change, change) }),
  fc.record({ kind: fc.constant('code' as const), changes: fc.tuple(change, change) }),
)

test('joined changes do what they do one by one', () => {
  fc.assert(
    fc.property(
      fc.array(policy, { maxLength: 6 }),
      fc.array(fc.record({ answer: pairs, choice: fc.nat(1) }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (policies, answers, repeats) => {
        const phases = policies.map(({ kind, changes: [first, second] }): Phases => {
          if (kind === 'change') return { responseChange: first }
          if (kind === 'choice') {
            return { responseChange: ({ authority }) => (authority === '0' ? first : second) }
          }
          return {
            responseHead({ response }) {
              first.apply(response?.fields as Fields)
              return CONTINUE
            },
          }
        })
        const joined = joinChanges(phases)
        const origins = [new RequestHead(), new RequestHead()]
        for (const { answer, choice } of answers) {
          const expected = fieldsOf(answer)
          for (const { kind, changes } of policies) {
            const [first, second] = changes
            const done = kind === 'choice' && choice === 1 ? second : first
            done.apply(expected)
          }
          const { exchange, request, response } = fakeExchange({ answer: [] })
          request.authority = String(choice)
          if (repeats) request.origin = origins[choice]
          const actual = response?.fields as Fields
          for (let i = 0; i < answer.length; i += 2) {
            actual.append(answer[i] as string, answer[i + 1] as string)
          }
          for (const phase of joined) phase.responseHead?.(exchange)
          assert.deepEqual(toPairs(actual), toPairs(expected))
          assert.equal(actual.toLines(), expected.toLines())
        }
      },
    ),
  )
})

function fieldsOf(list: readonly string[]): Fields {
  const fields = new Fields()
  for (let i = 0; i < list.length; i += 2) {
    fields.append(list[i] as string, list[i + 1] as string)
  }
  return fields
}

test('what is done is done in one call, but for two choices and what is more than a change', () => {
  const fixed: Phases = { responseChange: FieldChange.adding(['A', '1']) }
  const choice: Phases = { responseChange: () => FieldChange.none }
  const code: Phases = { responseHead: () => CONTINUE }
  assert.equal(joinChanges([]).length, 0)
  assert.equal(joinChanges([fixed, fixed, choice, fixed]).length, 1)
  assert.equal(joinChanges([fixed, choice, fixed, choice]).length, 2)
  assert.equal(joinChanges([fixed, code, choice, fixed]).length, 3)
})

test('a choice that is new for every request is not kept for ever', () => {
  const [phase] = joinChanges([
    { responseChange: ({ authority }) => FieldChange.setting(['X-Host', authority]) },
  ])
  for (let i = 0; i < 100; i++) {
    const { exchange, request, response } = fakeExchange({ answer: [] })
    request.authority = `h${i}`
    phase?.responseHead?.(exchange)
    assert.deepEqual(toPairs(response?.fields as Fields), ['X-Host', `h${i}`])
  }
})

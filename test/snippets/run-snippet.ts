import { canonicalPath } from '#algorithms/match/canonical-path.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { ResponseHead } from '#src/exchange/heads.ts'
import { startPolicy } from '#src/policies/index.ts'
import { CONTINUE, REPLY, REROUTE } from '#src/policies/policy.ts'
import type { Phases, Reply } from '#src/policies/policy.ts'
import { joinChanges } from '#src/proxy/joined-changes.ts'
import type { SnippetKey } from '#src/snippets/translate.ts'
import { fakeExchange } from '#test/policies/exchanges.ts'
import type { SnippetRequest } from './snippet-case.ts'
import { ruleWith } from './snippet-rule.ts'

/** What a client, and the upstream, got to see. */
export interface Outcome {
  readonly status: number
  readonly fields: Fields
  readonly body: string
  /** Target of the request to the upstream; '' when it was not asked. */
  readonly sent: string
  readonly sentFields: Fields
}

/** What the upstream answers to whatever it is asked. */
const upstreamFields = [
  ['Content-Type', 'text/plain'],
  ['Set-Cookie', 'sid=1; Path=/'],
  ['X-Powered-By', 'php'],
  ['X-Internal-Id', '7'],
  ['X-Hidden', '1'],
] as const

/** Sends a request through the policies of a rule with the snippet, without connections. */
export function send(key: SnippetKey, text: string, request: SnippetRequest): Outcome {
  const rule = ruleWith({ [key]: text })
  const phases = rule.policies.map(({ name, config }) =>
    startPolicy({ name, config: structuredClone(config) }),
  )
  const fake = exchangeFor(request)
  const reply = runRequest(phases, fake)
  const { status, fields, body } = answerOf(phases, fake, reply ?? upstreamAnswer(request))
  const asked = reply === undefined
  return {
    status,
    fields,
    body,
    sent: asked ? fake.request.target : '',
    sentFields: fake.request.fields,
  }
}

type Fake = ReturnType<typeof exchangeFor>

function exchangeFor({ method, target = '/', fields, scheme, client }: SnippetRequest) {
  const fake = fakeExchange({
    ...(method !== undefined && { method }),
    target,
    path: canonicalPath(target) ?? '',
    ...(fields !== undefined && { fields }),
    ...(scheme !== undefined && { scheme }),
    ...(client !== undefined && { clientAddress: client }),
    state: [],
    wallClock: () => 0,
    reroute: () => REROUTE,
  })
  const exchange = fake.exchange as Fake0
  exchange.setPath = (path, changed) => {
    exchange.setTarget(changed)
    exchange.path = path
  }
  return { ...fake, exchange }
}

type Fake0 = {
  -readonly [Key in keyof ReturnType<typeof fakeExchange>['exchange']]: ReturnType<
    typeof fakeExchange
  >['exchange'][Key]
}

function runRequest(phases: readonly Phases[], { exchange, replies }: Fake): Reply | undefined {
  for (let round = 0; round <= 10; round++) {
    let again = false
    for (const phase of phases) {
      const verdict = phase.requestHead?.(exchange) ?? CONTINUE
      if (verdict === REPLY) {
        exchange.upstreamAddress = ''
        return replies.at(-1)
      }
      again = verdict === REROUTE
      if (again) break
    }
    if (!again) return undefined
  }
  exchange.upstreamAddress = ''
  return { status: 500 }
}

function upstreamAnswer({ upstream = 200 }: SnippetRequest): Reply {
  const location = upstream === 302 ? ['Location', 'http://in.example/there'] : []
  return { status: upstream, fields: [...upstreamFields.flat(), ...location] }
}

function answerOf(
  phases: readonly Phases[],
  { exchange, replies }: Fake,
  reply: Reply,
): { status: number; fields: Fields; body: string } {
  const head = headOf(reply)
  exchange.response = head
  for (const phase of joinChanges(phases.toReversed())) {
    if ((phase.responseHead?.(exchange) ?? CONTINUE) !== REPLY) continue
    const other = replies.at(-1) as Reply
    const replaced = headOf(other)
    return { status: other.status, fields: replaced.fields, body: other.body ?? '' }
  }
  return { status: head.status, fields: head.fields, body: reply.body ?? '' }
}

function headOf({ status, fields = [], contentType }: Reply): ResponseHead {
  const head = new ResponseHead()
  head.status = status
  for (let i = 0; i < fields.length; i += 2)
    head.fields.append(fields[i] ?? '', fields[i + 1] ?? '')
  if (contentType !== undefined) head.fields.append('Content-Type', contentType)
  return head
}

import type { Annotation } from '#src/annotations/schema.ts'
import { oneOf } from '#src/annotations/types.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { PolicyExchange, Reply, Verdict } from './policy.ts'

/** Whether all of address list, basic and external authentication must let a client in, or any of them. */
export const satisfy: Annotation<'all' | 'any'> = {
  type: oneOf(['all', 'any']),
  default: 'all',
  doc: 'Whether a client must pass all of allow list, basic and external authentication, or any of them.',
  example: 'any',
  risk: 'low',
  scope: 'path',
  compatibility: 'same',
}

/** A policy lets the client in. */
export function allow(exchange: PolicyExchange, any: boolean): typeof CONTINUE {
  if (any) exchange.accessGranted = true
  return CONTINUE
}

/**
 * A policy keeps the client out, unless another may let it in. What asks for credentials counts more than a
 * plain refusal, and that a policy failed counts most, with what earlier ones asked for beside it.
 */
export function deny(exchange: PolicyExchange, any: boolean, reply: Reply): Verdict {
  if (!any) return exchange.reply(reply)
  const { status } = reply
  const counts = status === 401 || status === 302 || status >= 500
  const earlier = exchange.accessDenial
  if (earlier === undefined) exchange.accessDenial = reply
  else if (counts) exchange.accessDenial = beside(challengesOf(earlier), reply)
  return CONTINUE
}

function challengesOf({ fields = [] }: Reply): readonly string[] {
  return fields.filter((_, i) => fields[i - (i % 2)]?.toLowerCase() === 'www-authenticate')
}

function beside(challenges: readonly string[], reply: Reply): Reply {
  return challenges.length === 0
    ? reply
    : { ...reply, fields: [...challenges, ...(reply.fields ?? [])] }
}

/** Ends the policies of which any may let a client in: none did. */
export const anyAccess = policy({
  annotations: { satisfy },
  options: {},
  configure: (values) => (values.satisfy === 'any' ? {} : undefined),
  start() {
    return {
      requestHead(exchange) {
        const { accessGranted, accessDenial } = exchange
        return accessGranted || accessDenial === undefined ? CONTINUE : exchange.reply(accessDenial)
      },
    }
  },
})

import type { ValueType } from '#src/annotations/types.ts'
import { allow as letIn, deny as keepOut, satisfy } from './access.ts'
import { AddressSet, addressList } from './address-set.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import { linkAccess } from './snippets/access-rules.ts'
import type { AccessRule, Program } from './snippets/program.ts'

/** Who may use a rule, by address. */
export interface SourceRangesConfig {
  /** Undefined: everybody who is not denied. */
  readonly allow: readonly string[] | undefined
  readonly deny: readonly string[]
  /** Of snippets: asked behind both lists, and the first that holds the address decides. */
  readonly rules?: readonly AccessRule[]
  /** Another policy may let in whom this keeps out, and the other way round. */
  readonly any: boolean
}

/** As an allow list and as a deny list: no client passes. */
const nobody = ['0.0.0.0/32']
const everyone = ['0.0.0.0/0', '::/0']

/** A list of the ConfigMap. One without any valid address refuses everybody, rather than nobody. */
function closedList(closed: readonly string[]): ValueType<readonly string[]> {
  return {
    ...addressList,
    parse: (text) => addressList.parse(text) ?? closed,
    warn: (text) =>
      addressList.parse(text) === undefined
        ? `${JSON.stringify(text.slice(0, 120))} holds no valid address, so every client is refused`
        : addressList.warn?.(text),
  }
}

/** As in nginx the rules of a server hold only where the location has none, an annotation's included. */
function rulesOf(
  snippet: Program | undefined,
  server: Program | undefined,
  own: boolean,
): readonly AccessRule[] {
  const rules = snippet?.access ?? []
  return rules.length > 0 || own ? rules : (server?.access ?? [])
}

/** Refuses clients by their address (403). The deny list is asked first. */
export const sourceRanges = policy({
  annotations: {
    'allowlist-source-range': {
      type: addressList,
      default: [] as readonly string[],
      doc: 'Only clients with these addresses are served; others get 403. Replaces the list of the ConfigMap. A list without any valid address closes the routes (503).',
      example: '10.0.0.0/8,192.0.2.1',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      closes: true,
    },
    'denylist-source-range': {
      type: addressList,
      default: [] as readonly string[],
      doc: 'Clients with these addresses get 403, whatever the allow list says. Replaces the list of the ConfigMap. A list without any valid address closes the routes (503).',
      example: '192.0.2.0/24',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      closes: true,
    },
    satisfy,
  },
  options: {
    'whitelist-source-range': {
      type: closedList(nobody),
      default: [],
      doc: 'As the annotation allowlist-source-range, for every route without one.',
      example: '10.0.0.0/8',
      compatibility: 'same',
    },
    'denylist-source-range': {
      type: closedList(everyone),
      default: [],
      doc: 'As the annotation denylist-source-range, for every route without one.',
      example: '192.0.2.0/24',
      compatibility: 'same',
    },
  },

  configure(values, { options, snippet, serverSnippet }): SourceRangesConfig | undefined {
    const own = values['allowlist-source-range']
    const allow = own.length > 0 ? own : options['whitelist-source-range']
    const refused = values['denylist-source-range']
    const deny = refused.length > 0 ? refused : options['denylist-source-range']
    const rules = rulesOf(snippet, serverSnippet, allow.length + deny.length > 0)
    if (allow.length === 0 && deny.length === 0 && rules.length === 0) return undefined
    return {
      allow: allow.length === 0 ? undefined : allow,
      deny,
      ...(rules.length > 0 && { rules }),
      any: values.satisfy === 'any',
    }
  },

  start({ allow, deny, rules = [], any }) {
    const allowed = allow === undefined ? undefined : new AddressSet(allow)
    const denied = new AddressSet(deny)
    const linked = rules.length > 0 ? linkAccess(rules) : undefined
    return {
      requestHead(exchange) {
        const { clientAddress } = exchange
        const passes =
          !denied.has(clientAddress) && (allowed === undefined || allowed.has(clientAddress))
        if (!passes) return keepOut(exchange, any, { status: 403 })
        const said = allowed === undefined ? linked?.(clientAddress) : undefined
        if (said === 'deny') return keepOut(exchange, any, { status: 403 })
        if (said === 'allow') return letIn(exchange, any)
        // A client that is merely not denied has shown nothing.
        return allowed === undefined ? CONTINUE : letIn(exchange, any)
      },
    }
  },
})

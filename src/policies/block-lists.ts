import type { ValueType } from '#src/annotations/types.ts'
import { AddressSet, addressList } from './address-set.ts'
import { compilePattern, patternProblem } from '#algorithms/match/linear-pattern.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'

/** What is refused everywhere. */
export interface BlockListsConfig {
  readonly cidrs: readonly string[]
  readonly userAgents: readonly string[]
  readonly referers: readonly string[]
}

/** Values of a field as nginx's map has them: `~*regex` in any case, `~regex`, or the whole value. */
const fieldPatterns: ValueType<readonly string[]> = {
  expects:
    'a comma-separated list of values, of ~ and a regular expression, or of ~* and one for any case',
  schema: {},
  parse(text) {
    const parts = partsOf(text)
    return parts.every((part) => problemOf(part) === undefined) ? parts : undefined
  },
  format: (parts) => parts.join(','),
  explain(text) {
    for (const part of partsOf(text)) {
      const problem = problemOf(part)
      if (problem !== undefined) return `${JSON.stringify(part)} ${problem}`
    }
    return undefined
  },
}

function partsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function problemOf(part: string): string | undefined {
  return part.startsWith('~') ? patternProblem(regexOf(part)) : undefined
}

function regexOf(part: string): string {
  return part.slice(part.startsWith('~*') ? 2 : 1)
}

/** Refuses, on every route, clients that the ConfigMap names (403). */
export const blockLists = policy({
  annotations: {},
  options: {
    'block-cidrs': {
      type: addressList,
      default: [],
      doc: 'Clients with these addresses get 403 on every route.',
      example: '192.0.2.0/24',
      compatibility: 'same',
    },
    'block-user-agents': {
      type: fieldPatterns,
      default: [],
      doc: 'Requests with one of these as User-Agent get 403 on every route.',
      example: '~*badbot,Crawler/1.0',
      compatibility: 'same',
    },
    'block-referers': {
      type: fieldPatterns,
      default: [],
      doc: 'Requests with one of these as Referer get 403 on every route.',
      example: '~*spam\\.example',
      compatibility: 'same',
    },
  },

  configure(_values, { options }): BlockListsConfig | undefined {
    const config = {
      cidrs: options['block-cidrs'],
      userAgents: options['block-user-agents'],
      referers: options['block-referers'],
    }
    const { cidrs, userAgents, referers } = config
    return cidrs.length + userAgents.length + referers.length === 0 ? undefined : config
  },

  start({ cidrs, userAgents, referers }) {
    const addresses = new AddressSet(cidrs)
    const isBadAgent = tester(userAgents)
    const isBadReferer = tester(referers)
    return {
      requestHead(exchange) {
        const { fields } = exchange.request
        const blocked =
          addresses.has(exchange.clientAddress) ||
          isBadAgent(fields.get('user-agent')) ||
          isBadReferer(fields.get('referer'))
        return blocked ? exchange.reply({ status: 403 }) : CONTINUE
      },
    }
  },
})

/** As in nginx's map, plain values are compared in any case. */
function tester(parts: readonly string[]): (value: string | undefined) => boolean {
  const exact = new Set(
    parts.filter((part) => !part.startsWith('~')).map((part) => part.toLowerCase()),
  )
  const patterns = parts
    .filter((part) => part.startsWith('~'))
    .map((part) =>
      compilePattern(regexOf(part), { anchor: 'anywhere', anyCase: part.startsWith('~*') }),
    )
  return (value) =>
    value !== undefined &&
    (exact.has(value.toLowerCase()) || patterns.some((pattern) => pattern.test(value)))
}

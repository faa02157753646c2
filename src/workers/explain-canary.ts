import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { canaryReader } from '#src/table/canary-side.ts'
import type { Canary, Rule } from '#src/table/table.ts'

type SentFields = readonly (readonly [name: string, value: string])[]

/**
 * Says which of the canaries of a rule a request meets, and why, as the proxy chooses: field, cookie,
 * weight. Gives the share of such requests that each backend of the rule gets. `headers`: names in any
 * case. `usable`: whether each backend has an endpoint that takes requests.
 */
export function explainCanaries(
  rule: Rule,
  headers: SentFields,
  usable: readonly boolean[],
  steps: string[],
): number[] {
  const { backends } = rule
  const canaries = canariesOf(rule)
  if (canaries.length === 0) return sharesOf(rule, new Set())
  const only = (chosen: number) => backends.map((_, i) => (i === chosen ? 1 : 0))
  if (usable[0] !== true) {
    steps.push('the primary has no endpoint that can take it, and canaries do not stand in for it')
    return only(0)
  }
  noteSessions(rule, steps)
  const barred = new Set<number>()
  for (const [i, canary] of canaries.entries()) {
    const at = i + 1
    const service = backends[at]?.service ?? ''
    const [takes, why] = usable[at] === true ? asked(canary, headers) : [false, 'has no endpoint']
    if (takes === undefined) continue
    steps.push(`the canary ${service} ${takes ? 'takes it' : 'does not take it'}: ${why}`)
    if (takes) return only(at)
    barred.add(at)
  }
  if (barred.size === canaries.length) return only(0)
  steps.push('neither a header field nor a cookie decides for a canary: the weights do')
  return sharesOf(rule, barred)
}

/** Parallel to the backends behind the first one. */
function canariesOf({ canary, canaryGroup }: Rule): readonly Canary[] {
  if (canaryGroup !== undefined) return canaryGroup.canaries
  return canary === undefined ? [] : [canary]
}

function noteSessions({ backends }: Rule, steps: string[]): void {
  const [primary] = backends
  if (primary?.balance.algorithm.startsWith('sticky') === true) {
    steps.push('a session that the client has keeps its side; for a client without one:')
  }
}

/** Shares by weight. What falls to a canary that is ruled out goes to the first backend. */
function sharesOf({ backends }: Rule, barred: ReadonlySet<number>): number[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return backends.map(() => 0)
  const shares = backends.map(({ weight }) => weight / total)
  for (const at of barred) {
    shares[0] = (shares[0] as number) + (shares[at] as number)
    shares[at] = 0
  }
  return shares
}

/** Whether field or cookie choose the canary (true) or rule it out, and which did. */
function asked(
  canary: Canary,
  headers: SentFields,
): readonly [takes: boolean | undefined, why: string] {
  const reader = canaryReader(canary)
  const sent = headers.find(([name]) => name.toLowerCase() === canary.header)?.[1]
  const byHeader = reader.header(sent === undefined ? undefined : pathBytes(sent))
  if (byHeader !== undefined) {
    const why = canary.broken && canary.value === '' ? ', whose pattern cannot be used' : ''
    return [byHeader === 'canary', `header field ${canary.header} is ${JSON.stringify(sent)}${why}`]
  }
  const cookie = cookieIn(headers, canary.cookie)
  const byCookie = reader.cookie(cookie)
  if (byCookie === undefined) return [undefined, '']
  return [byCookie === 'canary', `cookie ${canary.cookie} is ${JSON.stringify(cookie)}`]
}

/** The first cookie of a name, '' for none. */
function cookieIn(headers: SentFields, name: string): string {
  const wanted = name.toLowerCase()
  for (const [field, value] of headers) {
    if (field.toLowerCase() !== 'cookie') continue
    for (const pair of value.split(';')) {
      const [found = '', ...rest] = pair.split('=')
      if (found.trim().toLowerCase() === wanted) return rest.join('=').trimEnd()
    }
  }
  return ''
}

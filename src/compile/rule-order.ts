import { tupleKey } from '#src/table/keys.ts'
import type { Rule } from '#src/table/table.ts'
import type { OwnedRoute } from './hosts.ts'
import { asRegex, bySpecificity } from './paths.ts'

/** A rule at one place of the order. */
interface Entry extends Pick<Rule, 'path' | 'pathText'> {
  readonly rule: Rule
  readonly of: Rule
}

/**
 * The rules of a host, parallel to its routes, in the order in which they are tried. Where paths are regular
 * expressions ingress-nginx makes two locations of a Prefix that is none: `/x/` and, unless that is an Exact
 * path, `/x`. It matters where another path comes between them.
 */
export function inOrder(rules: readonly Rule[], routes: readonly OwnedRoute[]): readonly Rule[] {
  if (!rules.some(({ path }) => path.type === 'regex')) return rules.toSorted(bySpecificity)
  const exact = new Set(
    routes.filter(({ route }) => route.path.type === 'exact').map(({ route }) => route.pathText),
  )
  const entries = rules.flatMap((rule, i): Entry[] => {
    const own = { rule, of: rule, path: rule.path, pathText: rule.pathText }
    if (!isTwo(rule, routes[i])) return [own]
    const alone = exact.has(rule.pathText)
    const slashed = slashedEntry(rule, alone)
    return alone ? [slashed] : [slashed, own]
  })
  const sorted = entries.toSorted(bySpecificity)
  return sorted.filter((_, i) => isNeeded(sorted, i)).map(({ rule }) => rule)
}

/** Whether what follows an entry up to another one of its rule, which takes the same and more, may take some of it. */
function isNeeded(sorted: readonly Entry[], i: number): boolean {
  const end = sorted.findIndex(({ of }, at) => at > i && of === sorted[i]?.of)
  return end < 0 || sorted.slice(i + 1, end).some(({ pathText }) => !/^[-/~\w]*$/.test(pathText))
}

function isTwo({ path, pathText }: Rule, owned: OwnedRoute | undefined): boolean {
  if (owned === undefined || owned.parsed.regex || owned.route.path.type !== 'prefix') return false
  return path.type === 'regex' && pathText !== '' && !pathText.endsWith('/')
}

function slashedEntry(rule: Rule, alone: boolean): Entry {
  const pathText = `${rule.pathText}/`
  const path = asRegex(pathText)
  const key = alone ? rule.key : tupleKey('slash', rule.key)
  return { rule: { ...rule, key, path }, of: rule, path, pathText }
}

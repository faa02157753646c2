import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import { reportOn } from './findings.ts'
import type { ParsedIngress, ParsedRoute } from './ingress.ts'
import type { RuleContext } from './rules.ts'

/** Whether an Ingress makes regular expressions of all paths of its hosts. */
export function makesRegex({ regex, routing }: ParsedIngress): boolean {
  return regex && routing['regex-scope'] === 'host'
}

/** Whether the paths of an Ingress are regular expressions: its own wish, or that of another one. */
export function isRegex({ parsed, regex }: Pick<RuleContext, 'parsed' | 'regex'>): boolean {
  return parsed.regex || (regex && parsed.routing['regex-scope'] === 'host')
}

/** Tells an Ingress that others decide how its path is matched, which few expect. */
export function reportRegex(
  { host, pathText, field }: ParsedRoute,
  context: Pick<RuleContext, 'parsed' | 'regex'>,
  diagnostics: Diagnostics,
): void {
  const { parsed } = context
  if (pathText === '' || pathText === '/' || parsed.regex || !isRegex(context)) return
  const message = `${pathText} is matched as a regular expression, in any case and without an end, because another Ingress of ${host || 'this host'} has use-regex or rewrite-target; headgate.dev/regex-scope: path keeps it as it is written`
  reportOn(parsed.ingress, diagnostics)('path-regex', `${field}.path`, message)
}

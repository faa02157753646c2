import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import { emptyScope, within } from '#src/policies/snippets/program.ts'
import type { Program } from '#src/policies/snippets/program.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Rule } from '#src/table/table.ts'
import { serverPolicies } from './command-line.ts'
import { bindConstants, constantsOf } from './constants.ts'
import { originOf, reportOn } from './findings.ts'
import type { ParsedIngress } from './ingress.ts'
import type { RuleContext } from './rules.ts'
import { inOrder, policyIndex } from '#src/policies/index.ts'

/** The snippet of a host: that of its oldest Ingress. */
export interface ServerSnippet {
  readonly program: Program
  readonly parsed: ParsedIngress
}

/** Chooses among the Ingresses of a host, oldest first; the owners of others are told. */
export function serverSnippetOf(
  host: string,
  owners: readonly ParsedIngress[],
  diagnostics: Diagnostics,
): ServerSnippet | undefined {
  const [first, ...others] = owners.filter(({ snippets }) => snippets['server-snippet'].text !== '')
  if (first === undefined) return undefined
  const { namespace, name } = first.ingress.metadata
  for (const other of others) {
    const field = other.texts.get('server-snippet')?.key ?? 'server-snippet'
    const message = `has no effect for ${host || 'any other host'}: that of Ingress ${namespace}/${name}, which is older, holds`
    reportOn(other.ingress, diagnostics)('annotation-differs', field, message)
  }
  return { program: first.snippets['server-snippet'].program, parsed: first }
}

/**
 * What takes the requests of a host that no rule matches: its snippet decides over them as well.
 * `fallback`: the rule that would take them without the snippet.
 */
export function serverRule(
  host: string,
  { program: written, parsed }: ServerSnippet,
  context: Pick<RuleContext, 'options' | 'clients'> & { readonly everywhere: readonly PolicyUse[] },
  fallback: Rule | undefined,
): Rule | undefined {
  if (written.steps.length + written.locations.length === 0) return fallback
  const constants = constantsOf(parsed, { host, pathText: '/' })
  const program = bindConstants(written, constants)
  const { options } = context
  const redirects = options.policies[policyIndex('redirect')]?.annotations
  const { 'relative-redirects': relative } = redirects as { readonly 'relative-redirects': boolean }
  const config = {
    program,
    rule: { type: 'prefix', path: '' },
    relative,
    last: fallback === undefined,
  }
  const base: Rule = fallback ?? {
    key: tupleKey('server-snippet', host),
    origin: originOf(parsed.ingress),
    path: { type: 'prefix', value: '' },
    pathText: '/',
    predicates: [],
    settings: options.routeSettings,
    policies: serverPolicies(context),
    backends: [],
  }
  const scope = within(emptyScope, program.scopes[0] ?? emptyScope)
  return {
    ...base,
    policies: inOrder([
      ...base.policies,
      { name: 'server-snippet', config },
      { name: 'snippet-answer', config: { scope } },
    ]),
  }
}

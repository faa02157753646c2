import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import { policy } from '#src/policies/policy-definition.ts'
import type { RouteContext } from '#src/policies/policy-definition.ts'
import { CONTINUE } from '#src/policies/policy.ts'
import { relativeRedirects } from '#src/policies/redirect.ts'
import { setRequestField } from '#src/policies/request-fields.ts'
import { applyInputEdits, applyScope } from './answers.ts'
import { emptyProgram, emptyScope, within } from './program.ts'
import type { Program, Scope, Step } from './program.ts'
import { linkSteps, Run } from './run.ts'
import { noGroups, snippetState, takeSnippetState } from './state.ts'
import { render } from './values.ts'

/** What a location does in the rewrite phase. */
export interface LocationSnippetConfig {
  readonly steps: readonly Step[]
  /** The location, then the bodies of its `if`s; whole, with what they inherit. */
  readonly scopes: readonly Scope[]
  readonly defaultType: string
  readonly relative: boolean
  /** The path of the rule as a regular expression, whose groups the snippet may use; '': there is none. */
  readonly pattern: string
}

/** `configuration-snippet`: set, if, rewrite, return, and edits of the request's fields. */
export const locationSnippet = policy({
  annotations: { 'relative-redirects': relativeRedirects },
  options: {},

  configure(values, context): LocationSnippetConfig | undefined {
    const scopes = scopesOf(context)
    const { steps, defaultType, requestFields } = context.snippet ?? emptyProgram
    const regex = context.match.type === 'regex'
    const pattern = regex && usesGroups([steps, scopes, requestFields]) ? context.path : ''
    const edits = scopes.some(({ inputEdits }) => inputEdits.length > 0)
    if (steps.length === 0 && !edits && pattern === '') return undefined
    return { steps, scopes, defaultType, relative: values['relative-redirects'], pattern }
  },

  start({ steps, scopes, defaultType, relative, pattern }) {
    const linked = linkSteps(steps)
    const location =
      pattern === ''
        ? undefined
        : compilePattern(pathBytes(pattern), { anchor: 'start', anyCase: true })
    return {
      requestHead(exchange) {
        if (location !== undefined) {
          takeSnippetState(exchange).groups = location.groups(exchange.path) ?? noGroups
        }
        const run = new Run(exchange, { defaultType, relative })
        run.run(linked)
        const scope = scopes[run.scope] ?? emptyScope
        const state = takeSnippetState(exchange)
        state.scope = run.moved ? undefined : scope
        if (run.reply !== undefined) return exchange.reply(run.reply)
        if (run.moved) return exchange.reroute()
        applyInputEdits(scope, exchange)
        return CONTINUE
      },
    }
  },
})

/** What snippets do to the answers of a rule. */
export interface SnippetAnswerConfig {
  readonly scope: Scope
}

/** add_header, more_set_headers, expires, … of both snippets, on whatever is answered. */
export const snippetAnswer = policy({
  annotations: {},
  options: {},

  configure(_values, context): SnippetAnswerConfig | undefined {
    const all = [...(context.snippet?.scopes ?? []), ...(context.serverSnippet?.scopes ?? [])]
    const inBlocks = context.serverSnippet?.locations.flatMap(({ program }) => program.scopes) ?? []
    if (![...all, ...inBlocks].some(changesAnswers)) return undefined
    return { scope: scopesOf(context)[0] ?? emptyScope }
  },

  start({ scope }) {
    return {
      responseHead: (exchange) => applyScope(snippetState(exchange)?.scope ?? scope, exchange),
    }
  },
})

/** Fields of the request to the upstream. */
export type SnippetFieldsConfig = Pick<Program, 'requestFields'>

/** proxy_set_header. */
export const snippetFields = policy({
  annotations: {},
  options: {},

  configure(_values, { snippet }): SnippetFieldsConfig | undefined {
    const requestFields = snippet?.requestFields ?? []
    return requestFields.length === 0 ? undefined : { requestFields }
  },

  start({ requestFields }) {
    return {
      requestHead(exchange) {
        for (const { name, value } of requestFields) {
          setRequestField(exchange, name, render(value, exchange))
        }
        return CONTINUE
      },
    }
  },
})

function scopesOf({
  snippet = emptyProgram,
  serverSnippet = emptyProgram,
}: Pick<RouteContext<object>, 'snippet' | 'serverSnippet'>): readonly Scope[] {
  const base = within(serverSnippet.scopes[0] ?? emptyScope, snippet.scopes[0] ?? emptyScope)
  return snippet.scopes.map((scope, i) => (i === 0 ? base : within(base, scope)))
}

/** Whether `$1` to `$9` stand anywhere in parts of a program. */
function usesGroups(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false
  return Object.hasOwn(part, 'group') || Object.values(part).some(usesGroups)
}

function changesAnswers({ added, edits, expires, charset, errorPages }: Scope): boolean {
  const lists = added.length + edits.length + errorPages.length
  return lists > 0 || expires !== undefined || charset !== undefined
}

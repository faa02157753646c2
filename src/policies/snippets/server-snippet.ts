import { policy } from '#src/policies/policy-definition.ts'
import { CONTINUE } from '#src/policies/policy.ts'
import type { PolicyExchange, Reply, Verdict } from '#src/policies/policy.ts'
import { relativeRedirects } from '#src/policies/redirect.ts'
import { linkAccess } from './access-rules.ts'
import { chooseLocation, linkLocations } from './locations.ts'
import type { RuleLocation } from './locations.ts'
import { emptyScope, within } from './program.ts'
import type { Program, Scope } from './program.ts'
import { linkSteps, Run } from './run.ts'
import type { LinkedStep } from './run.ts'
import { noGroups, takeSnippetState } from './state.ts'

/** What a host does to every request, before a location is looked for. */
export interface ServerSnippetConfig {
  readonly program: Program
  readonly rule: RuleLocation
  readonly relative: boolean
  /** No rule of the host is behind it: what the snippet does not answer is answered 404. */
  readonly last: boolean
}

/** A level of a snippet, ready to run. */
interface LinkedProgram {
  readonly steps: readonly LinkedStep[]
  readonly scopes: readonly Scope[]
  readonly settings: Pick<Program, 'defaultType'> & { readonly relative: boolean }
  readonly access: ReturnType<typeof linkAccess>
}

/** The directives of `server-snippet` that decide over whole requests: rewrites, and locations of its own. */
export const serverSnippet = policy({
  annotations: { 'relative-redirects': relativeRedirects },
  options: {},

  configure(values, { serverSnippet: program, match }): ServerSnippetConfig | undefined {
    if (program === undefined || program.steps.length + program.locations.length === 0) {
      return undefined
    }
    return { program, rule: match, relative: values['relative-redirects'], last: false }
  },

  start({ program, rule, relative, last }) {
    const server = linkProgram(program, emptyScope, relative)
    const locations = linkLocations(program.locations)
    const programs = new Map(
      locations.map((location) => [
        location,
        linkProgram(location.own.program, server.scopes[0] ?? emptyScope, relative),
      ]),
    )
    return {
      requestHead(exchange) {
        const state = takeSnippetState(exchange)
        if (!state.served) {
          state.served = true
          const verdict = serve(server, exchange)
          if (verdict !== CONTINUE) return verdict
        }
        const location = chooseLocation(locations, exchange.path, rule)
        const own = location && programs.get(location)
        if (own !== undefined) {
          if (location?.pattern !== undefined) {
            state.groups = location.pattern.groups(exchange.path) ?? noGroups
          }
          return exchange.reply(answerOf(own, exchange))
        }
        return last ? exchange.reply({ status: 404 }) : CONTINUE
      },
    }
  },
})

function linkProgram(program: Program, outer: Scope, relative: boolean): LinkedProgram {
  const [level = emptyScope] = program.scopes
  const base = within(outer, level)
  return {
    steps: linkSteps(program.steps),
    scopes: program.scopes.map((scope, i) => (i === 0 ? base : within(base, scope))),
    settings: { defaultType: program.defaultType, relative },
    access: linkAccess(program.access),
  }
}

function serve(server: LinkedProgram, exchange: PolicyExchange): Verdict {
  if (server.steps.length === 0) return CONTINUE
  const run = new Run(exchange, server.settings)
  run.run(server.steps)
  if (run.reply !== undefined) {
    takeSnippetState(exchange).scope = server.scopes[run.scope]
    return exchange.reply(run.reply)
  }
  return run.rewritten ? exchange.reroute() : CONTINUE
}

/** What a location of a snippet answers: it has no upstream behind it. */
function answerOf(own: LinkedProgram, exchange: PolicyExchange): Reply {
  const run = new Run(exchange, own.settings)
  run.run(own.steps)
  takeSnippetState(exchange).scope = own.scopes[run.scope]
  if (run.reply !== undefined) return run.reply
  return { status: own.access(exchange.clientAddress) === 'deny' ? 403 : 404 }
}

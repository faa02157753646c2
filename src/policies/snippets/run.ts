import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import type { Pattern } from '#algorithms/match/linear-pattern.ts'
import { publicHostOf, publicPortOf } from '#src/policies/location.ts'
import type { PolicyExchange, Reply } from '#src/policies/policy.ts'
import { argumentEscape, escapePath } from '#src/policies/path-escapes.ts'
import type { Program, ReturnStep, RewriteStep, Step, Value } from './program.ts'
import { noGroups, takeSnippetState } from './state.ts'
import type { SnippetState } from './state.ts'
import { holds, linkCondition, render } from './values.ts'
import type { LinkedCondition } from './values.ts'

/** Steps with their regular expressions compiled. */
export type LinkedStep =
  | { readonly step: 'set'; readonly name: string; readonly value: Value }
  | {
      readonly step: 'if'
      readonly condition: LinkedCondition
      readonly scope: number
      readonly body: readonly LinkedStep[]
    }
  | { readonly step: 'break' }
  | ReturnStep
  | { readonly step: 'rewrite'; readonly rewrite: RewriteStep; readonly pattern: Pattern }

export function linkSteps(steps: readonly Step[]): readonly LinkedStep[] {
  return steps.map((step) => {
    if (step.step === 'if') {
      return { ...step, condition: linkCondition(step.condition), body: linkSteps(step.body) }
    }
    if (step.step !== 'rewrite') return step
    const pattern = compilePattern(step.pattern, { anchor: 'anywhere', anyCase: false })
    return { step: 'rewrite', rewrite: step, pattern }
  })
}

/** What the steps of one level do to a request. One object a request that meets them. */
export class Run {
  /** Of the `if` that was entered last; 0: of the level itself. */
  scope = 0
  /** The answer that a step gave. */
  reply: Reply | undefined
  /** The path was replaced. */
  rewritten = false
  /** The path was replaced, and a location must look for the one that it leads to. */
  moved = false
  readonly #exchange: PolicyExchange
  readonly #state: SnippetState
  readonly #relative: boolean
  readonly #defaultType: string

  constructor(
    exchange: PolicyExchange,
    { defaultType, relative }: Pick<Program, 'defaultType'> & { readonly relative: boolean },
  ) {
    this.#exchange = exchange
    this.#state = takeSnippetState(exchange)
    this.#state.ended = false
    this.#defaultType = defaultType
    this.#relative = relative
  }

  /** Runs steps in order, until one answers or ends the rewrites. */
  run(steps: readonly LinkedStep[]): void {
    for (const step of steps) {
      if (this.reply !== undefined || this.#state.ended) return
      this.#step(step)
    }
  }

  #step(step: LinkedStep): void {
    if (step.step === 'set') {
      const text = render(step.value, this.#exchange)
      if (step.name === 'args') this.#setQuery(text)
      else this.#state.locals.set(step.name, text)
    } else if (step.step === 'break') this.#state.ended = true
    else if (step.step === 'return') this.reply = this.#answer(step)
    else if (step.step === 'rewrite') this.#rewrite(step.rewrite, step.pattern)
    else if (holds(step.condition, this.#exchange)) {
      this.scope = step.scope
      this.run(step.body)
    }
  }

  /** As nginx: the path is written anew with it, each byte of it escaped that must be. */
  #setQuery(query: string): void {
    const { path } = this.#exchange
    const target = escapePath(path)
    this.#exchange.setPath(path, query === '' ? target : `${target}?${query}`)
  }

  #answer({ status, text }: ReturnStep): Reply {
    // As nginx: only what is an error and says nothing has a page.
    if (status >= 400 && (text === undefined || text.length === 0)) return { status }
    this.#state.stands = true
    const rendered = render(text ?? [], this.#exchange)
    if (isRedirect(status)) return { ...this.#redirect(status, rendered), stands: true }
    return { status, body: rendered, contentType: this.#defaultType, stands: true }
  }

  /** As nginx: a path becomes a URL of the host that was asked for. */
  #redirect(status: number, text: string): Reply {
    const exchange = this.#exchange
    const path = text.startsWith('/') && !this.#relative
    const host = path ? `${publicHostOf(exchange)}${publicPortOf(exchange)}` : ''
    const location = path ? `${exchange.scheme}://${host}${text}` : text
    return { status, fields: ['Location', location] }
  }

  #rewrite(rewrite: RewriteStep, pattern: Pattern): void {
    const exchange = this.#exchange
    const groups = pattern.groups(exchange.path)
    this.#state.groups = groups ?? noGroups
    if (groups === undefined) return
    const { ends } = rewrite
    const query = this.#query(rewrite)
    if (typeof ends === 'number') {
      // As nginx: what was escaped in the request is escaped again where it is taken from its path.
      const path = render(rewrite.path, exchange, this.#escape)
      this.reply = this.#redirect(ends, query === '' ? path : `${path}?${query}`)
      return
    }
    const path = render(rewrite.path, exchange, asItIs)
    const decoded = path.startsWith('/') ? path : `/${path}`
    const target = escapePath(decoded)
    exchange.setPath(decoded, query === '' ? target : `${target}?${query}`)
    this.rewritten = true
    this.moved = ends !== 'break'
    this.#state.ended = ends !== 'next'
  }

  get #escape(): (text: string) => string {
    const { originalTarget, request } = this.#exchange
    return argumentEscape(originalTarget || request.target)
  }

  #query({ query, keepsQuery }: RewriteStep): string {
    const exchange = this.#exchange
    const own = query === undefined ? '' : render(query, exchange, this.#escape)
    const { target } = exchange.request
    const mark = keepsQuery ? target.indexOf('?') : -1
    const sent = mark < 0 ? '' : target.slice(mark + 1)
    return own !== '' && sent !== '' ? `${own}&${sent}` : own || sent
  }
}

/** What becomes a path is escaped as a whole. */
function asItIs(text: string): string {
  return text
}

const redirects = new Set([301, 302, 303, 307, 308])

function isRedirect(status: number): boolean {
  return redirects.has(status)
}

import type { Annotation } from '#src/annotations/schema.ts'
import { bool } from '#src/annotations/types.ts'
import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import type { Pattern } from '#algorithms/match/linear-pattern.ts'
import { argumentEscape, escapePath } from './path-escapes.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { Phases, PolicyExchange } from './policy.ts'
import { snippetState } from './snippets/state.ts'
import { formatTemplate, renderTemplate, templateType, visibleText } from './template.ts'
import type { Template } from './template.ts'
import type { ValueType } from '#src/annotations/types.ts'

/** How the target of a request is replaced. */
export interface RewriteConfig {
  /** The path of the Ingress as a regular expression, whose groups the target may use. */
  readonly pattern: string
  readonly target: Template
  /** X-Forwarded-Prefix; '' sends none. */
  readonly prefix: string
}

const headerText: ValueType<string> = {
  expects: 'visible text',
  schema: { pattern: visibleText.source },
  parse: (text) => (visibleText.test(text) ? text : undefined),
  format: (text) => text,
}

const rewriteTarget: Annotation<Template> = {
  type: templateType('a path, with groups ($1 to $9) of the path in the rule, or a URL', {
    shape: /^(?:https?:\/\/|\/|\$)[!-~]*$/i,
    groups: true,
  }),
  default: [] as Template,
  doc: 'The upstream is asked for this path; the query stays. It makes every path of its hosts a regular expression, as use-regex does.',
  example: '/api/$1',
  risk: 'medium',
  scope: 'host',
  compatibility: 'same',
}

/** Replaces path and, if the new one names it, query before the upstream is asked. */
export const rewrite = policy({
  annotations: {
    'rewrite-target': rewriteTarget,
    'use-regex': {
      type: bool,
      default: false,
      doc: 'Paths are regular expressions: any case, anchored at the start alone, the longest first. It holds for every path of the host, whatever Ingress it stands in. The syntax is RE2, without lookaround and back references.',
      example: 'true',
      risk: 'low',
      scope: 'host',
      compatibility: 'same',
    },
    'x-forwarded-prefix': {
      type: headerText,
      default: '',
      doc: 'Sends this as X-Forwarded-Prefix to the upstream, if rewrite-target is set.',
      example: '/shop',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
    },
  },
  options: {},

  configure(values, { path }): RewriteConfig | undefined {
    const target = values['rewrite-target']
    return leadsAway(target) ? undefined : configOf(target, path, values['x-forwarded-prefix'])
  },

  start: startRewrite,
})

/** With a URL as target a rewrite is a redirect. It is made where nginx rewrites: before anybody is asked for credentials. */
export const rewriteAway = policy({
  annotations: { 'rewrite-target': rewriteTarget },
  options: {},

  configure(values, { path }): RewriteConfig | undefined {
    const target = values['rewrite-target']
    return leadsAway(target) ? configOf(target, path, '') : undefined
  },

  start: startRewrite,
})

function leadsAway(target: Template): boolean {
  return /^(?:https?:\/\/|\$\{scheme\}:\/\/)/i.test(formatTemplate(target))
}

function configOf(target: Template, path: string, prefix: string): RewriteConfig | undefined {
  if (target.length === 0 || formatTemplate(target) === path) return undefined
  return { pattern: path === '' ? '/' : path, target, prefix }
}

function startRewrite({ pattern, target, prefix }: RewriteConfig): Phases {
  const matcher = groupsIn(target)
    ? compilePattern(pathBytes(pattern), { anchor: 'start', anyCase: true })
    : undefined
  const parts = splitAtQuery(target)
  const keepsQuery = !formatTemplate(target).endsWith('?')
  const away = leadsAway(target)
  return {
    requestHead(exchange) {
      // A snippet said `break`, which ends this rewrite as well.
      if (snippetState(exchange)?.ended === true) return CONTINUE
      const path = targetFor(exchange, parts, matcher)
      if (path === undefined) return CONTINUE
      const full = keepsQuery ? withQuery(path, exchange.request.target) : path.slice(0, -1)
      if (away) return exchange.reply({ status: 302, fields: ['Location', full] })
      exchange.setTarget(full.startsWith('/') ? full : `/${full}`)
      if (prefix !== '') exchange.request.fields.set('X-Forwarded-Prefix', prefix)
      return CONTINUE
    },
  }
}

function groupsIn(target: Template): boolean {
  return target.some((part) => 'group' in part)
}

/** The path of a new target, and its query, which begins with the ?. */
type Parts = readonly [path: Template, query: Template]

function splitAtQuery(target: Template): Parts {
  const at = target.findIndex((part) => 'text' in part && part.text.includes('?'))
  const part = target[at]
  if (part === undefined || !('text' in part)) return [target, []]
  const mark = part.text.indexOf('?')
  return [
    [...target.slice(0, at), { text: part.text.slice(0, mark) }],
    [{ text: part.text.slice(mark) }, ...target.slice(at + 1)],
  ]
}

function targetFor(
  exchange: PolicyExchange,
  [path, query]: Parts,
  matcher: Pattern | undefined,
): string | undefined {
  if (matcher === undefined) return renderTemplate(path, exchange) + renderTemplate(query, exchange)
  const groups = matcher.groups(exchange.path)
  if (groups === undefined) return undefined
  const text = renderTemplate(path, exchange, groups.map(escapePath))
  if (query.length === 0) return text
  const escape = argumentEscape(exchange.originalTarget || exchange.request.target)
  return text + renderTemplate(query, exchange, groups.map(escape))
}

/** The query of the request stands behind that of the new target, if it has one. */
function withQuery(target: string, original: string): string {
  const mark = original.indexOf('?')
  if (mark < 0 || mark === original.length - 1) return target
  return target.includes('?')
    ? `${target}&${original.slice(mark + 1)}`
    : target + original.slice(mark)
}

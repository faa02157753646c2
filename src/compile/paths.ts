import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { patternProblem } from '#algorithms/match/linear-pattern.ts'
import type { IngressPath } from '#src/snapshot/objects.ts'
import type { PathMatch } from '#src/table/table.ts'
import { compareText } from './order.ts'

/** What an Ingress path becomes, or why it cannot be served. */
export type PathReading =
  { readonly match: PathMatch; readonly text: string } | { readonly problem: string }

/**
 * Reads a path of an Ingress. ImplementationSpecific means Prefix here, as in ingress-nginx, and may
 * be empty. `regex`: it is a regular expression. `strict`: Exact and Prefix paths consist of letters,
 * digits and -._/ alone.
 */
export function readPath(
  { path, pathType }: IngressPath,
  { strict, regex }: { readonly strict: boolean; readonly regex: boolean },
): PathReading {
  const specific = pathType === 'ImplementationSpecific'
  const text = specific && path === '' ? '/' : path
  if (!text.startsWith('/')) return { problem: 'must begin with /' }
  if (strict && !specific && !/^[-A-Za-z0-9._/]*$/.test(text)) {
    return {
      problem:
        'may hold only letters, digits and -._/ with pathType Exact or Prefix; ImplementationSpecific takes others',
    }
  }
  if (regex) {
    const problem = patternProblem(pathBytes(text))
    const type = pathType === 'Exact' ? 'exact' : 'prefix'
    return problem === undefined ? { match: { type, value: text }, text } : { problem }
  }
  const value = decoded(text)
  const problem = literalProblem(text, value)
  if (problem !== undefined) return { problem }
  if (pathType === 'Exact') return { match: { type: 'exact', value }, text }
  return { match: { type: 'prefix', value: value.replace(/\/$/, '') }, text }
}

/** Why a path that stands for itself can match no request; undefined: it can. */
function literalProblem(text: string, value: string): string | undefined {
  if (/[?#]/.test(text)) return 'must not hold a query or a fragment'
  const found = /%2f|%00/i.exec(text) ?? /\/\/|\/\.\.?(?:\/|$)|\0/.exec(value)
  return found === null
    ? undefined
    : `holds ${JSON.stringify(found[0])}, which no request path has once normalized`
}

/**
 * The path of a rule on a host where every path is a regular expression. A path that is none, because
 * its own Ingress did not ask for that, stands for itself.
 */
export function asRegex(text: string): PathMatch {
  if (patternProblem(pathBytes(text)) === undefined) return { type: 'regex', value: text }
  return { type: 'regex', value: text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') }
}

/** Escapes are decoded, because requests are matched decoded; what is not UTF-8 stays as it stands. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes
    }
  })
}

/** Of a regular expression its length counts as the user wrote it, as in ingress-nginx. */
function lengthOf({ path, pathText }: { path: PathMatch; pathText: string }): number {
  return path.type === 'regex' ? pathText.length : path.value.length
}

/**
 * Most specific first: the longest, then Exact before Prefix. A slash at the end of a prefix does not
 * make it match fewer requests, but of /foo and /foo/ the latter goes first. Regular expressions of one length
 * stand in ingress-nginx with the greater text first.
 */
export function bySpecificity(
  a: { readonly path: PathMatch; readonly pathText: string },
  b: { readonly path: PathMatch; readonly pathText: string },
): number {
  return (
    lengthOf(b) - lengthOf(a) ||
    Number(b.path.type === 'exact') - Number(a.path.type === 'exact') ||
    b.pathText.length - a.pathText.length ||
    Number(a.path.type === 'regex') - Number(b.path.type === 'regex') ||
    (a.path.type === 'regex'
      ? compareText(b.pathText, a.pathText)
      : compareText(a.pathText, b.pathText))
  )
}

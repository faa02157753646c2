import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import type { Pattern } from '#algorithms/match/linear-pattern.ts'
import { PathList } from '#algorithms/match/path-list.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { argumentValue } from '#src/policies/variables.ts'
import type { Host, Predicate } from '#src/table/table.ts'
import type { LiveRule } from './live-rule.ts'
import type { LiveStream } from './live-stream.ts'

/** A regular expression of a predicate, which is linear as those of paths are. */
function anywhere(pattern: string): Pattern {
  return compilePattern(pattern, { anchor: 'anywhere', anyCase: false })
}

/** One host pattern with its rules, ready to be matched. */
export class LiveHost {
  readonly host: Host
  /** Parallel to `host.rules`. */
  readonly rules: readonly LiveRule[]
  readonly #paths: PathList
  /** Parallel to `host.rules`. */
  readonly #predicates: readonly (readonly LivePredicate[])[]

  /** Where TLS of its clients goes; undefined: it ends here. */
  readonly passthrough: LiveStream | undefined

  constructor(host: Host, rules: readonly LiveRule[], passthrough?: LiveStream) {
    this.host = host
    this.passthrough = passthrough
    this.rules = rules
    this.#predicates = host.rules.map(({ predicates }) => predicates.map(link))
    this.#paths = new PathList(
      host.rules.map(({ path }) => path),
      (pattern) => compilePattern(pathBytes(pattern), { anchor: 'start', anyCase: true }),
    )
  }

  /** The first rule whose path and predicates match, or undefined. */
  match(path: string, request: RequestHead): LiveRule | undefined {
    let index = this.#paths.next(path, 0)
    while (index >= 0) {
      const predicates = this.#predicates[index] as readonly LivePredicate[]
      if (predicates.length === 0 || allHold(predicates, request)) return this.rules[index]
      index = this.#paths.next(path, index + 1)
    }
    return undefined
  }
}

/** A predicate with its regular expression compiled. */
interface LivePredicate {
  readonly predicate: Predicate
  readonly regex: Pattern | undefined
}

function link(predicate: Predicate): LivePredicate {
  const { match, value } = predicate
  return { predicate, regex: match === 'regex' ? anywhere(value) : undefined }
}

function allHold(predicates: readonly LivePredicate[], request: RequestHead): boolean {
  for (const predicate of predicates) if (!holds(predicate, request)) return false
  return true
}

function holds({ predicate, regex }: LivePredicate, request: RequestHead): boolean {
  const actual = valueOf(predicate, request)
  if (actual === undefined) return false
  return regex === undefined ? actual === predicate.value : regex.test(actual)
}

function valueOf({ on, name }: Predicate, request: RequestHead): string | undefined {
  if (on === 'method') return request.method
  if (on === 'header') return request.fields.get(name.toLowerCase())
  return argumentValue(request.target, name)
}

import { suggest } from '#src/annotations/suggest.ts'
import { ingressNginxFlags } from './ingress-nginx-flags.ts'
import { flags, variableOf } from './flags.ts'
import type { FlagGroup, FlagName, FlagValues } from './flags.ts'
import type { FlagType } from './flag-types.ts'

/** A fault in how the command was called: one line, exit code 2. */
export class UsageError extends Error {}

export interface ParsedFlags {
  readonly values: FlagValues
  readonly operands: readonly string[]
}

/** A flag without the type of its value. */
export interface AnyFlag {
  readonly type: FlagType<unknown>
  readonly default: string
  readonly help: string
  readonly group: FlagGroup
  readonly unbuilt?: string
}

/** The flags of these groups, in the order of the table. */
export function flagsOf(groups: readonly FlagGroup[]): [FlagName, AnyFlag][] {
  const all = Object.entries(flags) as [FlagName, AnyFlag][]
  return all.filter(([, { group }]) => groups.includes(group))
}

/**
 * Reads flags (`--name value`, `--name=value`, `--switch`) and their environment variables; a flag
 * wins over its variable. Whatever is not understood throws a UsageError of one line.
 */
export function parseFlags(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  groups: readonly FlagGroup[],
): ParsedFlags {
  const known = new Map<string, AnyFlag>(flagsOf(groups))
  const { texts, operands } = splitArguments(args, known)
  const values: Record<string, unknown> = {}
  for (const [name, flag] of known) {
    const given = texts.get(name)
    const text = given ?? variableText(environment, name, flag)
    if (text === undefined) continue
    values[name] = valueOf(given === undefined ? variableOf(name) : `--${name}`, text, flag)
  }
  return { values, operands }
}

function valueOf(shown: string, text: string, { type, unbuilt }: AnyFlag): unknown {
  if (unbuilt !== undefined) {
    throw new UsageError(`${shown} is not built yet in this version: ${unbuilt}`)
  }
  const value = type.parse(text)
  if (value === undefined) {
    throw new UsageError(`${shown} must be ${type.expects}, got ${JSON.stringify(text)}`)
  }
  return value
}

/**
 * Kubernetes sets NAME_PORT=tcp://address:port for every Service of the namespace, so that a Service
 * called headgate-admin would give the admin port a strange value.
 */
const serviceLink = /^(?:tcp|udp|sctp):\/\//

function variableText(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  { unbuilt }: AnyFlag,
): string | undefined {
  const text = environment[variableOf(name)]
  if (text === undefined || text === '') return undefined
  return serviceLink.test(text) && unbuilt === undefined ? undefined : text
}

function splitArguments(
  args: readonly string[],
  known: ReadonlyMap<string, AnyFlag>,
): { texts: Map<string, string>; operands: string[] } {
  const texts = new Map<string, string>()
  const operands: string[] = []
  const rest = [...args]
  while (rest.length > 0) {
    const argument = rest.shift() as string
    if (argument === '--') {
      operands.push(...rest.splice(0))
    } else if (argument.startsWith('-') && argument !== '-') {
      const { name, text, type } = splitFlag(argument, rest, known)
      const earlier = texts.get(name)
      // Given again, a flag adds to a list and replaces anything else.
      texts.set(name, earlier === undefined || type.list !== true ? text : `${earlier}\n${text}`)
    } else {
      operands.push(argument)
    }
  }
  return { texts, operands }
}

/** Takes the value from `rest` where it is an argument of its own. */
function splitFlag(
  argument: string,
  rest: string[],
  known: ReadonlyMap<string, AnyFlag>,
): { name: string; text: string; type: FlagType<unknown> } {
  const equals = argument.indexOf('=')
  const written = equals < 0 ? argument : argument.slice(0, equals)
  const name = written.startsWith('--') ? written.slice(2) : ''
  const flag = known.get(name)
  if (flag === undefined) {
    const foreign = written.replace(/^--?/, '')
    if (Object.hasOwn(ingressNginxFlags, foreign)) {
      throw new UsageError(
        `${written} is a flag of ingress-nginx that is not taken: ${ingressNginxFlags[foreign]}`,
      )
    }
    const near = suggest(name, known.keys())
    throw new UsageError(
      `unknown flag ${written}${near === undefined ? '' : `; did you mean --${near}?`}`,
    )
  }
  const { type } = flag
  if (equals >= 0) return { name, text: argument.slice(equals + 1), type }
  if (type.placeholder === '') return { name, text: 'true', type }
  const text = rest.shift()
  if (text === undefined) throw new UsageError(`--${name} needs a value: ${type.expects}`)
  return { name, text, type }
}

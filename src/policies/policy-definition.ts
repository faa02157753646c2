import type { AnnotationTable, OptionTable } from '#src/annotations/schema.ts'
import type { Phases } from './policy.ts'

/** What a policy may know about the route it is put on, besides its own annotations. */
export interface RouteContext<Options> {
  /** The policy's own keys of the ConfigMap. */
  readonly options: Options
  /** Host pattern of the rule: `a.example`, `*.example`, or '' for every other host. */
  readonly host: string
  /** A TLS section names the host, whether or not its certificate can be used. */
  readonly tls: boolean
  /** The path as the user wrote it, '' for a default backend. */
  readonly path: string
}

/**
 * One feature, whole: what users may write, the plain data that the compiler puts on a rule, and what
 * a worker runs from it. Adding one is a file like this and a line in `index.ts`.
 */
export interface PolicyDefinition<
  Values extends object,
  Options extends object,
  Config extends object,
> {
  readonly annotations: AnnotationTable<Values>
  readonly options: OptionTable<Options>
  /** Plain data for the table; undefined: the policy is not on this route, which then never meets it. */
  configure(values: Values, context: RouteContext<Options>): Config | undefined
  /** Runs once a table, in each worker. */
  start(config: Config): Phases
}

/** Returns its argument; exists so that TypeScript infers the three type parameters. */
export function policy<Values extends object, Options extends object, Config extends object>(
  definition: PolicyDefinition<Values, Options, Config>,
): PolicyDefinition<Values, Options, Config> {
  return definition
}

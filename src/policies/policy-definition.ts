import type { ClientCertificatesConfig } from './client-certificates.ts'
import type { AnnotationTable, OptionTable } from '#src/annotations/schema.ts'
import type { Phases } from './policy.ts'
import type { RuleLocation } from './snippets/locations.ts'
import type { Program } from './snippets/program.ts'

/** Another object that a value names. */
export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap'
  /** The annotation, or the key of the ConfigMap, that names it; without prefix. */
  readonly key: string
  /** `name` or `namespace/name`, as written. */
  readonly text: string
  /**
   * `annotation`: a route whose object cannot be used answers 503. `option`: it is reported, and the
   * route is served without. `host`: the compiler judges it for the whole host.
   */
  readonly by: 'annotation' | 'option' | 'host'
}

/** What a policy may know about the route it is put on, besides its own annotations. */
export interface RouteContext<Options> {
  /** The policy's own keys of the ConfigMap. */
  readonly options: Options
  /** The Ingress as namespace/name. */
  readonly ingress: string
  /** Host pattern of the rule: `a.example`, `*.example`, or '' for every other host. */
  readonly host: string
  /** A TLS section names the host, whether or not its certificate can be used. */
  readonly tls: boolean
  /** The path as the user wrote it, '' for a default backend. */
  readonly path: string
  /** What the host demands of its clients' certificates; undefined: nothing. */
  readonly clients: ClientCertificatesConfig | undefined
  /** The path as requests are matched against it. */
  readonly match: RuleLocation
  /** What the snippets of the host and of the Ingress come to; undefined: there are none. */
  readonly serverSnippet: Program | undefined
  readonly snippet: Program | undefined
  readonly authSnippet: Program | undefined
  /** What the snippet for authentication of every route comes to, or what is wrong with it. */
  readonly globalAuthSnippet: Program | { readonly problem: string } | undefined
  /** Port of the listener for https; 0: there is none. */
  readonly httpsPort: number
  /** Contents of the object that this key refers to; undefined: it refers to none that can be used. */
  readonly data: (key: string) => Readonly<Record<string, string>> | undefined
  /** Makes a backend of a host, by name or address, that is not a Service's; its key. */
  external(host: string, port: number): string
  /** Reports something about the value of a key, without consequence. */
  readonly report: (key: string, message: string) => void
  /** Reports something about the value of a key for which the route must answer 503. */
  readonly deny: (key: string, message: string) => void
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
  /** Needs no Ingress: it holds for requests that no rule takes, too, and for the default backend. */
  readonly everywhere?: boolean
  /** The objects that the values name; `context.data` gives their contents. */
  references?(values: Values, options: Options): readonly Reference[]
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

import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import { everywherePolicies } from '#src/policies/index.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import type { Reference, RouteContext } from '#src/policies/policy-definition.ts'
import type { ConfigMap, Secret } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { bindConstants } from './constants.ts'
import { externalTarget } from './externals.ts'
import { reportOnMissing } from './findings.ts'
import { Memo } from './memo.ts'
import { findObjects, resolveReferences } from './object-references.ts'
import type { ObjectReference } from './object-references.ts'
import type { Options, PolicyDefaults } from './options.ts'
import type { CompileSettings } from './settings.ts'

/** What holds for requests that no rule of an Ingress takes, because it holds for all. */
export interface Everywhere {
  readonly policies: readonly PolicyUse[]
  readonly references: readonly ObjectReference[]
  /** The options of the table, with these policies in them. */
  readonly global: GlobalOptions
}

/** As nginx has them in a server that no Ingress names. */
const constants = {
  namespace: '',
  ingress_name: '',
  service_name: '',
  service_port: '',
  location_path: '/',
  server_name: '_',
}

const noDefaults: PolicyDefaults = { annotations: {}, options: {} }

/** Puts the policies together that need no Ingress, and keeps the result while its inputs stay the same. */
export class EverywhereCompiler {
  readonly #settings: CompileSettings
  readonly #kept = new Memo<Everywhere & { readonly problems: readonly Problem[] }>()

  constructor(settings: CompileSettings) {
    this.#settings = settings
  }

  compile(snapshot: Snapshot, options: Options, diagnostics: Diagnostics): Everywhere {
    const references = resolveReferences(referencesOf(options), {
      namespace: '',
      crossNamespace: true,
    })
    const objects = findObjects(references, snapshot)
    const { problems, ...everywhere } = this.#kept.get('', [options, ...objects], () =>
      this.#make(options, references, objects),
    )
    const { configMap } = this.#settings
    const report = configMap && reportOnMissing('ConfigMap', configMap, diagnostics)
    for (const [key, message] of problems) report?.('reference-unusable', key, message)
    return everywhere
  }

  #make(
    options: Options,
    references: readonly ObjectReference[],
    objects: readonly (Secret | ConfigMap | undefined)[],
  ): Everywhere & { readonly problems: readonly Problem[] } {
    const problems: Problem[] = []
    const data = new Map<string, Readonly<Record<string, string>>>()
    for (const [i, { kind, key, namespace, name, problem }] of references.entries()) {
      const object = objects[i]
      if (object !== undefined) data.set(key, object.data)
      else problems.push([key, problem || `${kind} ${namespace}/${name} does not exist`])
    }
    const report = (key: string, message: string): void => {
      problems.push([key, message])
    }
    const context = { ...noRoute, httpsPort: this.#settings.httpsPort, report, deny: report }
    const policies = everywherePolicies.flatMap(({ name, definition, index }) => {
      const { annotations, options: own } = options.policies[index] ?? noDefaults
      const given = { ...context, data: (key: string) => data.get(key), options: own }
      const config = definition.configure(annotations, given)
      return config === undefined ? [] : [{ name, config: bindConstants(config, constants) }]
    })
    return { policies, references, problems, global: { ...options.global, policies } }
  }
}

/** Key and message of what is wrong with a reference. */
type Problem = readonly [key: string, message: string]

function referencesOf(options: Options): readonly Reference[] {
  return everywherePolicies.flatMap(({ definition, index }) => {
    const { annotations, options: own } = options.policies[index] ?? noDefaults
    return definition.references?.(annotations, own) ?? []
  })
}

const noRoute = {
  ingress: '',
  host: '',
  tls: false,
  path: '',
  clients: undefined,
  match: { type: 'prefix', path: '' },
  serverSnippet: undefined,
  snippet: undefined,
  authSnippet: undefined,
  globalAuthSnippet: undefined,
  external: (host, port) => externalTarget(host, port).key,
} as const satisfies Partial<RouteContext<object>>

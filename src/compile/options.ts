import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { optionsOf, readOptions } from '#src/annotations/options.ts'
import { complete } from '#src/annotations/schema.ts'
import { policyList } from '#src/policies/index.ts'
import { traceOptions } from '#src/policies/trace-options.ts'
import type { ConfigMap } from '#src/snapshot/objects.ts'
import type { GlobalOptions, RouteSettings } from '#src/table/table.ts'
import { reportOn, reportOnMissing } from './findings.ts'
import type { CompileSettings } from './settings.ts'
import { protocolAnnotations } from './values/backend-protocol.ts'
import type { ProtocolValues } from './values/backend-protocol.ts'
import { balanceAnnotations } from './values/balance.ts'
import type { BalanceValues } from './values/balance.ts'
import { globalOptions, globalOptionsOf } from './values/global-options.ts'
import type { GlobalValues } from './values/global-options.ts'
import { routeAnnotations, routeOptions, routeSettingsOf } from './values/route-settings.ts'
import type { RouteValues } from './values/route-settings.ts'
import { routingAnnotations } from './values/routing.ts'
import type { RoutingValues } from './values/routing.ts'
import { tracingOf } from './values/tracing.ts'
import type { TracingOptions } from './values/tracing.ts'
import { annotationSchema, optionSchema } from './values/schema.ts'
import { snippetOptions } from './values/snippets.ts'
import type { SnippetOptions } from './values/snippets.ts'

/** The ConfigMap, read: what holds for everything, and the default of every annotation. */
export interface Options {
  readonly global: GlobalOptions
  readonly values: GlobalValues
  readonly retryNonIdempotent: { readonly 'retry-non-idempotent': boolean }
  /** Settings of a route without annotations; one object for all of them. */
  readonly routeSettings: RouteSettings
  /** Defaults of annotations. */
  readonly route: RouteValues
  readonly protocol: ProtocolValues
  readonly routing: RoutingValues
  readonly balance: BalanceValues
  readonly snippets: SnippetOptions
  /** Parallel to `policyList`: defaults of annotations, and the policy's own options. */
  readonly policies: readonly PolicyDefaults[]
  readonly tracing: TracingOptions | undefined
  readonly diagnostics: readonly Diagnostic[]
}

export interface PolicyDefaults {
  readonly annotations: object
  readonly options: object
}

/** Reads the ConfigMap. Without one every default is ingress-nginx's. */
export function compileOptions(
  configMap: ConfigMap | undefined,
  settings: CompileSettings,
): Options {
  const diagnostics = new Diagnostics()
  if (configMap === undefined && settings.configMap !== undefined) {
    const report = reportOnMissing('ConfigMap', settings.configMap, diagnostics)
    report('configmap-missing', '', 'does not exist, though --configmap names it')
  }
  const report = configMap === undefined ? () => {} : reportOn(configMap, diagnostics)
  const read = readOptions(optionSchema, configMap?.data ?? {}, report)
  const values = optionsOf(globalOptions, read)
  const retry = optionsOf(routeOptions, read)
  const presets: Record<string, unknown> = {}
  for (const [key, { option }] of Object.entries(annotationSchema)) {
    if (option === true) presets[key] = read[key]
  }
  const route = complete(routeAnnotations, presets)
  return {
    global: globalOptionsOf(values, settings),
    values,
    retryNonIdempotent: retry,
    routeSettings: routeSettingsOf(route, retry),
    route,
    protocol: complete(protocolAnnotations, presets),
    routing: complete(routingAnnotations, presets),
    balance: complete(balanceAnnotations, presets),
    snippets: optionsOf(snippetOptions, read),
    policies: policyList.map(([, policy]) => ({
      annotations: complete(policy.annotations, presets),
      options: optionsOf(policy.options, read),
    })),
    tracing: tracingOf(optionsOf(traceOptions, read)),
    diagnostics: diagnostics.list,
  }
}

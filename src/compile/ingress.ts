import { collectAnnotations } from '#src/annotations/annotated.ts'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { covers, isHostPattern } from '#src/annotations/names.ts'
import { annotationCodes, complete, quote, readGiven } from '#src/annotations/schema.ts'
import type { Reading, ReportField, SettingText, ValuesOf } from '#src/annotations/schema.ts'
import { policyIndex, policyList } from '#src/policies/index.ts'
import type { policies, PolicyName } from '#src/policies/index.ts'
import type { Reference } from '#src/policies/policy-definition.ts'
import type { Ingress, IngressBackend, IngressRule } from '#src/snapshot/objects.ts'
import type { PathMatch, RouteSettings } from '#src/table/table.ts'
import { reportOn } from './findings.ts'
import { isForbidden } from './forbidden.ts'
import { resolveReferences } from './object-references.ts'
import type { ObjectReference } from './object-references.ts'
import type { Options } from './options.ts'
import { readPath } from './paths.ts'
import type { CompileSettings } from './settings.ts'
import { protocolAnnotations, protocolReferences } from './values/backend-protocol.ts'
import type { ProtocolValues } from './values/backend-protocol.ts'
import { balanceAnnotations } from './values/balance.ts'
import type { BalanceValues } from './values/balance.ts'
import { routeAnnotations, routeSettingsOf } from './values/route-settings.ts'
import { canaryAnnotations, canaryOf } from './values/canary.ts'
import type { CanaryUse } from './values/canary.ts'
import { hostTlsAnnotations } from './values/host-tls.ts'
import type { HostTlsValues } from './values/host-tls.ts'
import { routingAnnotations } from './values/routing.ts'
import type { RoutingValues } from './values/routing.ts'
import { annotationSchema } from './values/schema.ts'
import { readSnippets } from './values/snippets.ts'
import type { SnippetValues } from './values/snippets.ts'
import { unusedAnnotations } from './values/unused.ts'

/** One Ingress, read by itself: nothing here depends on other objects. */
export interface ParsedIngress {
  readonly ingress: Ingress
  readonly settings: RouteSettings
  readonly protocol: ProtocolValues
  /** Only what the Ingress says itself; its Service may say the rest. */
  readonly balance: Partial<BalanceValues>
  /** Its routes are alternatives for those of other Ingresses. */
  readonly canary: CanaryUse | undefined
  readonly routing: RoutingValues
  /** Only what the Ingress says itself: of several the first that says something decides. */
  readonly hostTls: Partial<HostTlsValues>
  /** nginx's configuration, translated. */
  readonly snippets: SnippetValues
  /** What the user wrote, by key without prefix. */
  readonly texts: ReadonlyMap<string, SettingText>
  /** Objects that the values name. */
  readonly references: readonly ObjectReference[]
  /** The paths are regular expressions, and with them all paths of the hosts. */
  readonly regex: boolean
  /** Parallel to `policyList`. */
  readonly policyValues: readonly object[]
  /** The routes answer 503: a key that protects them is not honoured. */
  readonly closed: boolean
  /** It is not served at all, for what its annotations say. */
  readonly dropped: boolean
  /** Hosts of valid rules, each once; '' stands for every other host. */
  readonly hosts: readonly string[]
  readonly routes: readonly ParsedRoute[]
  /** Where the default backend serves what no path matches: each host of the rules, or every other. */
  readonly fallbacks: readonly ParsedRoute[]
  readonly tls: readonly ParsedTls[]
  readonly diagnostics: readonly Diagnostic[]
}

/** A path of a host. Its own object, so that results about it can be kept by reference. */
export interface ParsedRoute {
  readonly host: string
  readonly path: PathMatch
  /** As the user wrote it; '' for a default backend. */
  readonly pathText: string
  readonly backend: IngressBackend
  /** Where it stands in the object, e.g. spec.rules[0].http.paths[1]. */
  readonly field: string
}

export interface ParsedTls {
  readonly hosts: readonly string[]
  readonly secretName: string
  readonly field: string
}

/** Reads an Ingress. Whatever is wrong is reported and left out; the rest stands. */
export function parseIngress(
  ingress: Ingress,
  options: Options,
  settings: CompileSettings,
): ParsedIngress {
  const diagnostics = new Diagnostics()
  const report = reportOn(ingress, diagnostics)
  const { texts, verdict } = collectAnnotations(ingress.metadata.annotations, 'Ingress', {
    schema: annotationSchema,
    prefix: settings.annotationsPrefix,
    report,
  })
  let closed = verdict === 'close'
  const allowed = options.values['allow-snippet-annotations']
  const snippets = readSnippets(texts, allowed, report)
  const values = readValues(snippets.texts, options, {
    codes: annotationCodes,
    report,
    close: () => {
      closed = true
    },
  })
  const forbidden = isForbidden(texts, options.values, report)
  const dropped = verdict === 'drop' || forbidden || snippets.dropped
  const rewriting = policyValues(values, 'rewrite')
  const regex = rewriting['use-regex'] || rewriting['rewrite-target'].length > 0
  const { namespace } = ingress.metadata
  const rules = dropped ? [] : readRules(ingress, report)
  const hosts = [...new Set(rules.map(({ host }) => host))]
  return {
    ingress,
    ...values,
    snippets: snippets.values,
    texts,
    regex,
    references: resolveReferences(referencesOf(values, options), {
      namespace,
      crossNamespace: options.values['allow-cross-namespace-resources'],
    }),
    closed,
    dropped,
    hosts,
    routes: rules.flatMap((rule) => readRoutes(rule, { options, regex }, report)),
    fallbacks: dropped ? [] : readFallbacks(ingress, hosts),
    tls: dropped ? [] : readTls(ingress, hosts, report),
    diagnostics: diagnostics.list,
  }
}

function readValues(
  texts: ReadonlyMap<string, SettingText>,
  options: Options,
  reading: Reading,
): Pick<
  ParsedIngress,
  'settings' | 'protocol' | 'balance' | 'routing' | 'hostTls' | 'canary' | 'policyValues'
> {
  const route = readGiven(routeAnnotations, texts, reading)
  const protocol = readGiven(protocolAnnotations, texts, reading)
  // Nobody reads these values; what is written is checked, and said to be without effect.
  readGiven(unusedAnnotations, texts, reading)
  const untouched = Object.keys(route).length === 0
  return {
    settings: untouched
      ? options.routeSettings
      : routeSettingsOf(
          complete(routeAnnotations, options.route, route),
          options.retryNonIdempotent,
        ),
    protocol: complete(protocolAnnotations, options.protocol, protocol),
    balance: readGiven(balanceAnnotations, texts, reading),
    routing: complete(
      routingAnnotations,
      { ...options.routing },
      readGiven(routingAnnotations, texts, reading),
    ),
    hostTls: readGiven(hostTlsAnnotations, texts, reading),
    canary: canaryOf(
      complete(canaryAnnotations, readGiven(canaryAnnotations, texts, reading)),
      texts,
      reading.report,
    ),
    policyValues: policyList.map(([, { annotations }], i) => {
      const given = readGiven(annotations, texts, reading)
      const presets = options.policies[i]?.annotations ?? {}
      return complete(annotations, { ...presets }, { ...given })
    }),
  }
}

/** The values of one policy. */
export function policyValues<Name extends PolicyName>(
  { policyValues: all }: Pick<ParsedIngress, 'policyValues'>,
  name: Name,
): ValuesOf<(typeof policies)[Name]['annotations']> {
  return all[policyIndex(name)] as ValuesOf<(typeof policies)[Name]['annotations']>
}

function referencesOf(
  { protocol, policyValues: all }: Pick<ParsedIngress, 'protocol' | 'policyValues'>,
  options: Options,
): readonly Reference[] {
  const ofPolicies = policyList.flatMap(
    ([, policy], i) => policy.references?.(all[i] ?? {}, options.policies[i]?.options ?? {}) ?? [],
  )
  return [...protocolReferences(protocol), ...ofPolicies]
}

/** One rule whose host is valid. */
interface HostRule {
  readonly host: string
  readonly rule: IngressRule
  readonly field: string
}

function readRules({ rules, defaultBackend }: Ingress, report: ReportField): HostRule[] {
  if (rules.length === 0 && defaultBackend === undefined) {
    report('object-invalid', 'spec', 'has neither rules nor a defaultBackend')
  }
  const valid: HostRule[] = []
  for (const [i, rule] of rules.entries()) {
    const host = rule.host.toLowerCase()
    const field = `spec.rules[${i}]`
    if (host === '' || isHostPattern(host)) valid.push({ host, rule, field })
    else {
      const expected = 'must be a DNS name, or *. and a DNS name'
      report('host-invalid', `${field}.host`, `${expected}, got ${quote(rule.host)}`)
    }
  }
  return valid
}

function readRoutes(
  { host, rule, field }: HostRule,
  { options, regex }: { readonly options: Options; readonly regex: boolean },
  report: ReportField,
): ParsedRoute[] {
  const strict = options.values['strict-validate-path-type']
  const routes: ParsedRoute[] = []
  for (const [i, path] of (rule.paths ?? []).entries()) {
    const place = `${field}.http.paths[${i}]`
    const reading = readPath(path, { strict, regex })
    if ('problem' in reading) {
      report('path-invalid', `${place}.path`, `${reading.problem}, got ${quote(path.path)}`)
      continue
    }
    const { match, text } = reading
    routes.push({ host, path: match, pathText: text, backend: path.backend, field: place })
  }
  return routes
}

/** Nothing is made up: without a default backend of its own an Ingress gets no such route. */
function readFallbacks(
  { rules, defaultBackend }: Ingress,
  hosts: readonly string[],
): ParsedRoute[] {
  if (defaultBackend === undefined) return []
  const patterns = rules.length === 0 ? [''] : hosts
  return patterns.map((host) => ({
    host,
    path: { type: 'prefix', value: '' },
    pathText: '',
    backend: defaultBackend,
    field: 'spec.defaultBackend',
  }))
}

function readTls({ tls }: Ingress, hosts: readonly string[], report: ReportField): ParsedTls[] {
  const known = new Set(hosts)
  return tls.map((section, i) => {
    const field = `spec.tls[${i}]`
    const named = section.hosts.map((host) => host.toLowerCase())
    for (const [j, host] of named.entries()) {
      if (known.has(host) || hosts.some((own) => covers(host, own))) continue
      const message = isHostPattern(host)
        ? `${host} has no rule in this Ingress`
        : `must be a DNS name, or *. and a DNS name, got ${quote(section.hosts[j] ?? '')}`
      report('tls-host-unused', `${field}.hosts[${j}]`, message)
    }
    return { hosts: named, secretName: section.secretName, field }
  })
}

/** Whether anything of it is served. */
export function hasRoutes({ routes, fallbacks }: ParsedIngress): boolean {
  return routes.length + fallbacks.length > 0
}

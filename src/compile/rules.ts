import { collectAnnotations } from '#src/annotations/annotated.ts'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { annotationCodes, complete, readGiven } from '#src/annotations/schema.ts'
import { policyList } from '#src/policies/index.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import type { Service } from '#src/snapshot/objects.ts'
import { localCluster, tupleKey } from '#src/table/keys.ts'
import type { Rule, WeightedBackend } from '#src/table/table.ts'
import { originOf, reportOn } from './findings.ts'
import type { ParsedIngress, ParsedRoute } from './ingress.ts'
import type { Options } from './options.ts'
import { targetOf } from './services/backends.ts'
import type { Target } from './services/backends.ts'
import { resolvePort } from './services/ports.ts'
import type { CompileSettings } from './settings.ts'
import { protocolOf } from './values/backend-protocol.ts'
import { withSessions } from './sessions.ts'
import { balanceAnnotations, balanceOf } from './values/balance.ts'
import type { BalanceValues } from './values/balance.ts'
import { annotationSchema } from './values/schema.ts'

/** A rule, and the Service port that it sends requests to. */
export interface CompiledRule {
  readonly rule: Rule
  /** Undefined: there is none, and the rule answers 503. */
  readonly target: Target | undefined
  readonly diagnostics: readonly Diagnostic[]
}

/** What a Service's own annotations say. */
export interface ServiceValues {
  readonly balance: Partial<BalanceValues>
  readonly diagnostics: readonly Diagnostic[]
}

/** What a rule is made of, besides its route. */
export interface RuleContext {
  readonly parsed: ParsedIngress
  readonly options: Options
  /** The Service that the route names; undefined: it does not exist. */
  readonly service: Service | undefined
  readonly serviceValues: ServiceValues
  /** A TLS section names the host. */
  readonly tls: boolean
}

/** Makes the rule of one route. */
export function compileRule(route: ParsedRoute, context: RuleContext): CompiledRule {
  const diagnostics = new Diagnostics()
  const { parsed } = context
  const { namespace, name } = parsed.ingress.metadata
  const found = findTarget(route, context, diagnostics)
  const target = parsed.closed ? undefined : found
  const kind = route.pathText === '' ? 'ingress-default' : 'ingress'
  const policies = compilePolicies(route, context)
  const rule: Rule = {
    key: tupleKey(kind, localCluster, namespace, name, route.host, route.path.type, route.pathText),
    origin: originOf(parsed.ingress),
    path: route.path,
    pathText: route.pathText,
    predicates: [],
    settings: parsed.settings,
    policies,
    backends: target === undefined ? [] : [withSessions(useOf(target, context, parsed), policies)],
  }
  return { rule, target, diagnostics: diagnostics.list }
}

/** The Service port that a route means, or undefined with the reason reported. */
function findTarget(
  { backend, field }: ParsedRoute,
  { parsed, service }: RuleContext,
  diagnostics: Diagnostics,
): Target | undefined {
  const { ingress } = parsed
  const report = reportOn(ingress, diagnostics)
  const place = field === 'spec.defaultBackend' ? field : `${field}.backend`
  if ('resource' in backend) {
    const { apiGroup, kind, name } = backend.resource
    const message = `a resource (${kind} ${name} of ${apiGroup || 'the core group'}) cannot be a backend; name a service`
    report('backend-unsupported', `${place}.resource`, message)
    return undefined
  }
  const { name, port } = backend.service
  const shown = `Service ${ingress.metadata.namespace}/${name}`
  if (service === undefined) {
    report('service-missing', `${place}.service.name`, `${shown} does not exist`)
    return undefined
  }
  const resolved = resolvePort(service, port)
  if (resolved === undefined) {
    const ports = service.ports.slice(0, 8).map((own) => own.name || String(own.port))
    const message = `${shown} has no TCP port ${JSON.stringify(port)}; its ports are: ${ports.join(', ') || 'none'}`
    report('service-port-missing', `${place}.service.port`, message)
    return undefined
  }
  return targetOf(service, resolved)
}

function compilePolicies(route: ParsedRoute, { parsed, options, tls }: RuleContext): PolicyUse[] {
  const uses: PolicyUse[] = []
  for (const [i, [name, policy]] of policyList.entries()) {
    const config = policy.configure(parsed.policyValues[i] ?? {}, {
      options: options.policies[i]?.options ?? {},
      ingress: `${parsed.ingress.metadata.namespace}/${parsed.ingress.metadata.name}`,
      host: route.host,
      tls,
      path: route.pathText,
    })
    if (config !== undefined) uses.push({ name, config })
  }
  return uses
}

/** The one backend of a rule, with all that Ingress, Service and ConfigMap say about using it. */
export function useOf(
  { key, service }: Target,
  { options, serviceValues }: Pick<RuleContext, 'options' | 'serviceValues'>,
  own: Partial<Pick<ParsedIngress, 'balance' | 'protocol'>>,
): WeightedBackend {
  const balance = complete<BalanceValues>(
    balanceAnnotations,
    { ...options.balance },
    serviceValues.balance,
    own.balance ?? {},
  )
  return {
    backend: key,
    service: service.metadata.name,
    weight: 1,
    balance: balanceOf(balance),
    ...protocolOf(own.protocol ?? options.protocol),
    policies: [],
  }
}

/** Reads a Service's annotations. */
export function readService(service: Service, settings: CompileSettings): ServiceValues {
  const diagnostics = new Diagnostics()
  const report = reportOn(service, diagnostics)
  const { texts } = collectAnnotations(service.metadata.annotations, 'Service', {
    schema: annotationSchema,
    prefix: settings.annotationsPrefix,
    report,
  })
  const balance = readGiven(balanceAnnotations, texts, { codes: annotationCodes, report })
  return { balance, diagnostics: diagnostics.list }
}

/** What a Service that does not exist says. */
export const noServiceValues: ServiceValues = { balance: {}, diagnostics: [] }

import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { policyList } from '#src/policies/index.ts'
import type { ClientCertificatesConfig } from '#src/policies/client-certificates.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import type { RouteContext } from '#src/policies/policy-definition.ts'
import type { ConfigMap, Secret, Service } from '#src/snapshot/objects.ts'
import { localCluster, tupleKey } from '#src/table/keys.ts'
import type { Fallback, Rule } from '#src/table/table.ts'
import { noServiceValues, useOf } from './backend-use.ts'
import type { ServiceValues } from './backend-use.ts'
import { bindConstants, constantsOf } from './constants.ts'
import type { Constants } from './constants.ts'
import { errorPagesOf } from './error-pages.ts'
import { originOf, reportOn } from './findings.ts'
import type { ParsedIngress, ParsedRoute } from './ingress.ts'
import type { Options } from './options.ts'
import { asRegex } from './paths.ts'
import { isRegex, reportRegex } from './regex-scope.ts'
import { readRoute } from './route-context.ts'
import { targetOf } from './services/backends.ts'
import type { Target } from './services/backends.ts'
import { firstPort, resolvePort } from './services/ports.ts'
import type { CompileSettings } from './settings.ts'
import { protocolOf } from './values/backend-protocol.ts'
import { withSessions } from './sessions.ts'
import type { ServerSnippet } from './snippets.ts'

/** A rule, and the Service port that it sends requests to. */
export interface CompiledRule {
  readonly rule: Rule
  /** Undefined: there is none, and the rule answers 503. */
  readonly target: Target | undefined
  readonly fallback: Target | undefined
  /** Backends of hosts that policies name. */
  readonly externals: readonly Target[]
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
  /** What the host demands of its clients' certificates; undefined: nothing. */
  readonly clients: ClientCertificatesConfig | undefined
  readonly settings: CompileSettings
  /** What the Ingress refers to, parallel to its references. */
  readonly objects: readonly (Secret | ConfigMap | undefined)[]
  /** Every path of the host is a regular expression. */
  readonly regex: boolean
  /** The snippet of the host. */
  readonly server: ServerSnippet | undefined
  /** The Service of `default-backend`, if it exists. */
  readonly fallback: Service | undefined
  /** The target of --default-backend-service, if it can be used. */
  readonly lastTarget: Target | undefined
  /** Of a canary: the Ingress that it is an alternative to, and the Secret that this shows endpoints. */
  readonly primary:
    { readonly parsed: ParsedIngress; readonly secret: Secret | ConfigMap | undefined } | undefined
}

/** Makes the rule of one route. */
export function compileRule(route: ParsedRoute, context: RuleContext): CompiledRule {
  const diagnostics = new Diagnostics()
  const { parsed, primary } = context
  const { namespace, name } = parsed.ingress.metadata
  const regex = isRegex(context)
  reportRegex(route, context, diagnostics)
  const found = findTarget(route, context, diagnostics)
  const constants = constantsOf(parsed, route)
  const reading = readRoute(route, context, constants, diagnostics)
  const { context: routeContext, externals, denied } = reading
  const policies = compilePolicies(routeContext, context, constants)
  // Whatever else a canary says counts for nothing, as in ingress-nginx.
  const isDenied = primary === undefined && denied()
  const target = isDenied ? undefined : found
  const own = { balance: parsed.balance, ...spokenWith(found, routeContext, context) }
  const fallback = isDenied ? undefined : findFallback(context, diagnostics)
  const kind = route.pathText === '' ? 'ingress-default' : 'ingress'
  const rule: Rule = {
    key: tupleKey(kind, localCluster, namespace, name, route.host, route.path.type, route.pathText),
    origin: originOf(parsed.ingress),
    path: regex && route.pathText !== '' ? asRegex(route.pathText) : route.path,
    pathText: route.pathText,
    predicates: [],
    settings: parsed.settings,
    policies: isDenied ? [] : policies,
    backends: target === undefined ? [] : [withSessions(useOf(target, context, own), policies)],
    ...(fallback !== undefined && { fallback: fallbackOf(fallback, route, context) }),
    ...errorPagesOf(route, fallback, context, diagnostics),
  }
  return { rule, target, fallback, externals, diagnostics: diagnostics.list }
}

/** What is spoken with the endpoints: with those of a canary what its primary says. */
function spokenWith(
  target: Target | undefined,
  { data }: Pick<RouteContext<object>, 'data'>,
  { parsed, primary }: RuleContext,
): ReturnType<typeof protocolOf> {
  const { texts, protocol } = primary?.parsed ?? parsed
  const secret = primary === undefined ? data('proxy-ssl-secret') : primary.secret?.data
  const said = texts.has('backend-protocol') ? '' : (target?.port.appProtocol ?? '')
  return protocolOf(protocol, secret, said)
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
  const { port } = backend.service
  const name = service?.metadata.name ?? backend.service.name
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
  return targetOf(service, resolved, parsed.routing['service-upstream'])
}

/** The backend of last resort, or undefined: none is named, or it cannot be used. */
function findFallback(
  { parsed, fallback }: RuleContext,
  diagnostics: Diagnostics,
): Target | undefined {
  const name = parsed.routing['default-backend']
  if (name === '') return undefined
  const field = parsed.texts.get('default-backend')?.key ?? 'default-backend'
  const port = fallback && firstPort(fallback)
  if (fallback !== undefined && port !== undefined) return targetOf(fallback, port)
  const shown = `Service ${parsed.ingress.metadata.namespace}/${name}`
  const report = reportOn(parsed.ingress, diagnostics)
  if (fallback === undefined) report('service-missing', field, `${shown} does not exist`)
  else report('service-port-missing', field, `${shown} has no TCP port`)
  return undefined
}

function fallbackOf(target: Target, { backend }: ParsedRoute, context: RuleContext): Fallback {
  const named = 'service' in backend ? backend.service : { name: '', port: '' }
  return {
    use: useOf(target, { ...context, serviceValues: noServiceValues }, {}),
    service: named.name,
    servicePort: String(named.port),
  }
}

function compilePolicies(
  context: Omit<RouteContext<object>, 'options'>,
  { parsed, options }: RuleContext,
  constants: Constants,
): PolicyUse[] {
  const uses: PolicyUse[] = []
  for (const [i, [name, policy]] of policyList.entries()) {
    const config = policy.configure(parsed.policyValues[i] ?? {}, {
      ...context,
      options: options.policies[i]?.options ?? {},
    })
    if (config !== undefined) uses.push({ name, config: bindConstants(config, constants) })
  }
  return uses
}

import { pathBytes } from '#algorithms/match/canonical-path.ts'
import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { RouteContext } from '#src/policies/policy-definition.ts'
import type { RuleLocation } from '#src/policies/snippets/locations.ts'
import type { SnippetKey } from '#src/snippets/translate.ts'
import { bindConstants } from './constants.ts'
import type { Constants } from './constants.ts'
import { externalTarget } from './externals.ts'
import type { ConfigMap, Secret } from '#src/snapshot/objects.ts'
import { reportOn, reportOnMissing } from './findings.ts'
import type { ObjectReference } from './object-references.ts'
import type { ParsedRoute } from './ingress.ts'
import { isRegex } from './regex-scope.ts'
import type { RuleContext } from './rules.ts'
import type { Target } from './services/backends.ts'
import { upstreamSecretProblem } from './values/backend-protocol.ts'

/** What is known of a route while its rule is made. */
export interface RouteReading {
  /** What policies are told; each adds its own options. */
  readonly context: Omit<RouteContext<object>, 'options'>
  /** Backends that policies made. */
  readonly externals: readonly Target[]
  /** The route must answer 503. It may turn out later, so it is asked last. */
  readonly denied: () => boolean
}

/** Why an object cannot be used; '' if it can. */
function faultOf(
  { kind, key, namespace, name, problem }: ObjectReference,
  object: Secret | ConfigMap | undefined,
): string {
  if (problem !== '') return problem
  if (object === undefined) return `${kind} ${namespace}/${name} does not exist`
  return key === 'proxy-ssl-secret' ? (upstreamSecretProblem(object.data) ?? '') : ''
}

/** The location that ingress-nginx makes of a route. */
function locationOf({ path, pathText }: ParsedRoute, regex: boolean): RuleLocation {
  const type = regex && pathText !== '' ? 'regex' : path.type
  return { type, path: type === 'regex' ? '' : pathBytes(path.value) }
}

type Snippets = Pick<
  RouteContext<object>,
  'serverSnippet' | 'snippet' | 'authSnippet' | 'globalAuthSnippet'
>

function snippetsOf({ parsed, server, options }: RuleContext, constants: Constants): Snippets {
  const { 'global-auth-snippet': forAll } = options.snippets
  const own = (key: SnippetKey) =>
    parsed.snippets[key].text === ''
      ? undefined
      : bindConstants(parsed.snippets[key].program, constants)
  return {
    serverSnippet: server && bindConstants(server.program, constants),
    snippet: own('configuration-snippet'),
    authSnippet: own('auth-snippet'),
    globalAuthSnippet:
      'problem' in forAll ? forAll : bindConstants(forAll.value.program, constants),
  }
}

/** Looks up what the values of an Ingress refer to, and reports what cannot be used. */
export function readRoute(
  route: ParsedRoute,
  given: RuleContext,
  constants: Constants,
  diagnostics: Diagnostics,
): RouteReading {
  const { parsed, objects, settings, tls, clients } = given
  let denied = parsed.closed
  const externals: Target[] = []
  const data = new Map<string, Readonly<Record<string, string>>>()
  const onIngress = reportOn(parsed.ingress, diagnostics)
  const onOptions =
    settings.configMap === undefined
      ? onIngress
      : reportOnMissing('ConfigMap', settings.configMap, diagnostics)
  const place = (key: string) => {
    const written = parsed.texts.get(key)?.key
    return { report: written === undefined ? onOptions : onIngress, field: written ?? key }
  }
  const deny = (key: string, message: string): void => {
    denied = true
    const { report, field } = place(key)
    report('reference-denied', field, message)
  }
  const absent = (key: string, kind: 'Secret' | 'ConfigMap', message: string): void => {
    denied = true
    const { report, field } = place(key)
    const code = kind === 'Secret' ? 'reference-secret-missing' : 'reference-configmap-missing'
    report(code, field, message)
  }
  const leaveOut = (key: string, message: string): void => {
    const { report, field } = place(key)
    report('reference-unusable', field, message)
  }
  for (const [i, reference] of parsed.references.entries()) {
    const { kind, key, by, problem } = reference
    const object = objects[i]
    const why = faultOf(reference, object)
    if (object !== undefined && why === '') data.set(key, object.data)
    // The host as a whole is judged elsewhere.
    else if (by === 'host') continue
    else if (by === 'option') leaveOut(key, why)
    else if (problem === '' && object === undefined) absent(key, kind, why)
    else deny(key, why)
  }
  return {
    context: {
      ingress: `${parsed.ingress.metadata.namespace}/${parsed.ingress.metadata.name}`,
      host: route.host,
      tls,
      path: route.pathText,
      clients,
      match: locationOf(route, isRegex(given)),
      ...snippetsOf(given, constants),
      httpsPort: settings.httpsPort,
      data: (key) => data.get(key),
      external(host, port) {
        const target = externalTarget(host, port)
        externals.push(target)
        return target.key
      },
      report: leaveOut,
      deny,
    },
    externals,
    denied: () => denied,
  }
}

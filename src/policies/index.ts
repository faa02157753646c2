import { anyAccess } from './access.ts'
import { appRoot } from './app-root.ts'
import { basicAuth } from './basic-auth.ts'
import { blockLists } from './block-lists.ts'
import { clientCertificates } from './client-certificates.ts'
import { compression } from './compression.ts'
import { cors } from './cors.ts'
import { externalAuth } from './external-auth.ts'
import { limitRate } from './limit-rate.ts'
import { limits } from './limits.ts'
import { mirror } from './mirror.ts'
import type { PolicyDefinition } from './policy-definition.ts'
import type { Phases, PolicyUse } from './policy.ts'
import { hostRedirect, redirect } from './redirect.ts'
import { requestFields } from './request-fields.ts'
import { responseCookies } from './response-cookies.ts'
import { addHeaders, customHeaders, hideHeaders } from './response-fields.ts'
import { responseLocation } from './response-location.ts'
import { rewrite, rewriteAway } from './rewrite.ts'
import { locationSnippet, snippetAnswer, snippetFields } from './snippets/location-snippet.ts'
import { serverSnippet } from './snippets/server-snippet.ts'
import { sessionAffinity } from './session-affinity.ts'
import { sourceRanges } from './source-ranges.ts'
import { sslRedirect } from './ssl-redirect.ts'
import { traceContext } from './trace-context.ts'
import { upstreamHost } from './upstream-host.ts'

/**
 * The one list of policies, in the order in which a request meets them; a response meets them in
 * reverse. The order is ingress-nginx's order of effects.
 */
export const policies = {
  // Of answers it is the last: nothing rewrites our own cookie.
  'session-affinity': sessionAffinity,
  // Behind whatever changes an answer or its body.
  compression,
  // Whatever becomes of the request is in its span.
  'trace-context': traceContext,
  // Of the whole server. nginx refuses clients without certificate before it looks at anything else.
  'client-certificates': clientCertificates,
  'block-lists': blockLists,
  'server-snippet': serverSnippet,
  'app-root': appRoot,
  'host-redirect': hostRedirect,
  // What a snippet does to an answer comes behind what annotations do to it.
  'snippet-answer': snippetAnswer,
  // Answered before any list or authentication, as in ingress-nginx. Their fields come last.
  cors,
  'custom-headers': customHeaders,
  'add-headers': addHeaders,
  // Directives of nginx's rewrite phase, in a location; ingress-nginx writes its redirect behind them.
  'location-snippet': locationSnippet,
  redirect,
  'rewrite-away': rewriteAway,
  'ssl-redirect': sslRedirect,
  // Counted before any list or authentication.
  limits,
  'limit-rate': limitRate,
  // access
  'source-ranges': sourceRanges,
  'basic-auth': basicAuth,
  'external-auth': externalAuth,
  'any-access': anyAccess,
  // A copy of what got this far, as the client sent it.
  mirror,
  // What the upstream sees: behind whatever looks at the request as it was sent.
  rewrite,
  'upstream-host': upstreamHost,
  'request-fields': requestFields,
  'snippet-fields': snippetFields,
  // What is done to an answer before anything is added to it.
  'response-location': responseLocation,
  'response-cookies': responseCookies,
  'hide-headers': hideHeaders,
} as const

export type PolicyName = keyof typeof policies

/** The list for code that treats all policies alike. */
export const policyList = Object.entries(policies) as unknown as readonly (readonly [
  name: PolicyName,
  definition: PolicyDefinition<object, object, object>,
])[]

/** The policies that need no Ingress. */
export const everywherePolicies = policyList.flatMap(([name, definition], index) =>
  definition.everywhere === true ? [{ name, definition, index }] : [],
)

/** Where a policy stands in the list. */
export function policyIndex(name: PolicyName): number {
  return policyList.findIndex(([own]) => own === name)
}

const placeOf = ({ name }: PolicyUse): number => policyList.findIndex(([own]) => own === name)

/** Policies of a rule that come from several places, in the order of the list. */
export function inOrder(uses: readonly PolicyUse[]): PolicyUse[] {
  return uses.toSorted((a, b) => placeOf(a) - placeOf(b))
}

const byName = new Map<string, PolicyDefinition<object, object, object>>(policyList)

/** The running code of a policy on a rule. Throws for a name that is not in the list. */
export function startPolicy({ name, config }: PolicyUse): Phases {
  const definition = byName.get(name)
  if (definition === undefined) throw new Error(`no policy is named ${name}`)
  return definition.start(config)
}

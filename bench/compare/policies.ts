import { proxyKinds } from './site.ts'
import type { ProxyKind, Setup } from './site.ts'

/**
 * Which proxies a setup is for. With policies it is those that can say the same: HAProxy counts rates
 * in windows and not by what has drained since, and Envoy limits no rate by client.
 */
export function kindsOf({ policies }: Setup): readonly ProxyKind[] {
  return policies ? ['headgate', 'nginx'] : proxyKinds
}

/** A request with this field is one of another origin, and a client's. */
export const origin = 'https://app.bench.example'

/** Where the backend answers with a field that is to be hidden, and shows what fields it was sent. */
export const policiesPath = '/policies'

/** So many that none is refused: what is measured is counting. */
export const requestsPerSecond = 100_000
export const burstMultiplier = 5

/** Flat [name, value, …] of the answers to requests of that origin; the defaults of ingress-nginx. */
export const corsFields = [
  ['Access-Control-Allow-Origin', origin],
  ['Access-Control-Allow-Credentials', 'true'],
  ['Access-Control-Allow-Methods', 'GET, PUT, POST, DELETE, PATCH, OPTIONS'],
  [
    'Access-Control-Allow-Headers',
    'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
  ],
  ['Access-Control-Max-Age', '1728000'],
] as const

/** Fields that one Ingress adds to its answers, and those that all do. */
export const customFields = { 'X-Frame-Options': 'DENY', 'X-Content-Type-Options': 'nosniff' }
export const addedFields = { 'Referrer-Policy': 'no-referrer' }
/** Fields that the upstream gets; variables are nginx's. */
export const requestFields = { 'X-Tenant': 'bench', 'X-Client': '$remote_addr' }
/** What the upstream sees of them, sent back. */
export const seenField = { name: 'X-Seen', variables: '$http_x_tenant $http_x_client' }
/** A field of the upstream that no client is to see. */
export const hiddenField = { name: 'X-Powered-By', value: 'bench' }

/**
 * Keys of ingress-nginx that Headgate knows and does not honour. Together with the schema they are
 * all of ingress-nginx's keys: a key that comes to be honoured leaves this file.
 */
export interface Pending {
  /**
   * What becomes of an Ingress that carries the key. `close`: its routes answer 503, because serving
   * them would open what the key protects. `drop`: it is not served, because ingress-nginx would not
   * serve it either, or because it would take over the routes of another.
   */
  readonly otherwise: 'serve' | 'close' | 'drop'
  /** Only this value has the effect above; with any other the Ingress is served. */
  readonly when?: string
  /** ingress-nginx's default, '' for none that can be written: who writes it asks for nothing. */
  readonly preset: string
  /** Why it is not honoured, and what to use in its place; absent: nothing is known to say. */
  readonly instead?: string
}

function ignored(preset = '', instead?: string): Pending {
  return { otherwise: 'serve', preset, ...(instead !== undefined && { instead }) }
}
const noFastCgi =
  'FastCGI is not spoken; put a server that speaks HTTP before the application, for example nginx beside php-fpm in its Pod'
const noFirewall =
  'there is no web application firewall in the proxy; run one that speaks HTTP, such as Coraza or ModSecurity behind nginx, as the backend, or before the load balancer'
const dropped: Pending = { otherwise: 'drop', preset: '' }

export const ingressNginxPending: Readonly<Record<string, Pending>> = {
  // routing
  'fastcgi-index': ignored('', noFastCgi),
  'fastcgi-params-configmap': ignored('', noFastCgi),
  // redirect
  // TLS
  // load balancing
  // external auth
  // limits
  // access
  // CORS
  // buffering
  // headers
  // web application firewall
  'enable-modsecurity': ignored('false', noFirewall),
  'enable-owasp-core-rules': ignored('false', noFirewall),
  'modsecurity-transaction-id': ignored('', noFirewall),
  'modsecurity-snippet': { ...dropped, instead: noFirewall },
  // snippets
  'stream-snippet': dropped,
}

/** Second names of keys. */
export const ingressNginxAliases: Readonly<Record<string, string>> = {
  'whitelist-source-range': 'allowlist-source-range',
  'limit-whitelist': 'limit-allowlist',
}

/** Keys that ingress-nginx dropped, or never had, and that manifests still carry: what holds instead. */
export const ingressNginxRemoved: Readonly<Record<string, string>> = {
  'session-cookie-hash': 'it was dropped; the cookie needs no choice of hash',
  'secure-backends': 'it was replaced by backend-protocol: HTTPS',
  'grpc-backend': 'it was replaced by backend-protocol: GRPC',
  'secure-verify-ca-secret': 'it was replaced by proxy-ssl-secret',
  'base-url-scheme': 'it was dropped; nothing takes its place',
  'add-base-url': 'it was dropped; nothing takes its place',
  'enable-websockets': 'it never existed; WebSockets need no annotation',
  'enable-influxdb': 'it was dropped; metrics are served on /metrics',
  'influxdb-measurement': 'it was dropped; metrics are served on /metrics',
  'influxdb-port': 'it was dropped; metrics are served on /metrics',
  'influxdb-host': 'it was dropped; metrics are served on /metrics',
  'influxdb-server-name': 'it was dropped; metrics are served on /metrics',
  'enable-opentracing': 'it was replaced by enable-opentelemetry',
  'opentracing-trust-incoming-span': 'it was replaced by opentelemetry-trust-incoming-span',
  'global-rate-limit': 'it was dropped; limit-rps and limit-rpm limit per replica',
  'global-rate-limit-window': 'it was dropped; limit-rps and limit-rpm limit per replica',
  'global-rate-limit-key': 'it was dropped; limit-rps and limit-rpm limit per replica',
  'global-rate-limit-ignored-cidrs': 'it was dropped; limit-allowlist exempts clients',
  hsts: 'it never was an annotation; it is a key of the ConfigMap',
  'hsts-max-age': 'it never was an annotation; it is a key of the ConfigMap',
  'hsts-include-subdomains': 'it never was an annotation; it is a key of the ConfigMap',
  'hsts-preload': 'it never was an annotation; it is a key of the ConfigMap',
}

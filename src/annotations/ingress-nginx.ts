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
}

const ignored: Pending = { otherwise: 'serve' }
const closed: Pending = { otherwise: 'close' }
const closedWhenOn: Pending = { otherwise: 'close', when: 'on' }
const dropped: Pending = { otherwise: 'drop' }
const droppedWhenTrue: Pending = { otherwise: 'drop', when: 'true' }

export const ingressNginxPending: Readonly<Record<string, Pending>> = {
  // routing
  'rewrite-target': ignored,
  'use-regex': ignored,
  'app-root': ignored,
  'server-alias': ignored,
  'upstream-vhost': ignored,
  'x-forwarded-prefix': ignored,
  'default-backend': ignored,
  'service-upstream': ignored,
  'fastcgi-index': ignored,
  'fastcgi-params-configmap': ignored,
  // redirect
  'from-to-www-redirect': ignored,
  'permanent-redirect': ignored,
  'permanent-redirect-code': ignored,
  'temporal-redirect': ignored,
  'temporal-redirect-code': ignored,
  'relative-redirects': ignored,
  'use-port-in-redirects': ignored,
  'proxy-redirect-from': ignored,
  'proxy-redirect-to': ignored,
  // tls
  'ssl-passthrough': ignored,
  'ssl-ciphers': ignored,
  'ssl-prefer-server-ciphers': ignored,
  'proxy-ssl-secret': ignored,
  'proxy-ssl-verify': closedWhenOn,
  'proxy-ssl-verify-depth': ignored,
  'proxy-ssl-name': ignored,
  'proxy-ssl-server-name': ignored,
  'proxy-ssl-ciphers': ignored,
  'proxy-ssl-protocols': ignored,
  // client-cert
  'auth-tls-secret': closed,
  'auth-tls-verify-client': ignored,
  'auth-tls-verify-depth': ignored,
  'auth-tls-error-page': ignored,
  'auth-tls-match-cn': ignored,
  'auth-tls-pass-certificate-to-upstream': ignored,
  // canary
  canary: droppedWhenTrue,
  'canary-by-header': ignored,
  'canary-by-header-value': ignored,
  'canary-by-header-pattern': ignored,
  'canary-by-cookie': ignored,
  'canary-weight': ignored,
  'canary-weight-total': ignored,
  // affinity
  affinity: ignored,
  'affinity-mode': ignored,
  'affinity-canary-behavior': ignored,
  'session-cookie-name': ignored,
  'session-cookie-path': ignored,
  'session-cookie-domain': ignored,
  'session-cookie-samesite': ignored,
  'session-cookie-conditional-samesite-none': ignored,
  'session-cookie-secure': ignored,
  'session-cookie-expires': ignored,
  'session-cookie-max-age': ignored,
  'session-cookie-change-on-failure': ignored,
  // lb
  'upstream-hash-by-subset': ignored,
  'upstream-hash-by-subset-size': ignored,
  // auth
  'auth-type': closed,
  'auth-secret': closed,
  'auth-secret-type': ignored,
  'auth-realm': ignored,
  satisfy: ignored,
  // ext-auth
  'auth-url': closed,
  'auth-method': ignored,
  'auth-signin': ignored,
  'auth-signin-redirect-param': ignored,
  'auth-response-headers': ignored,
  'auth-proxy-set-headers': ignored,
  'auth-request-redirect': ignored,
  'auth-cache-key': ignored,
  'auth-cache-duration': ignored,
  'auth-keepalive': ignored,
  'auth-keepalive-share-vars': ignored,
  'auth-keepalive-requests': ignored,
  'auth-keepalive-timeout': ignored,
  'auth-always-set-cookie': ignored,
  'auth-snippet': dropped,
  'enable-global-auth': ignored,
  // limits
  'limit-rps': ignored,
  'limit-rpm': ignored,
  'limit-connections': ignored,
  'limit-burst-multiplier': ignored,
  'limit-allowlist': ignored,
  'limit-rate': ignored,
  'limit-rate-after': ignored,
  // access
  'allowlist-source-range': closed,
  'denylist-source-range': closed,
  // cors
  'enable-cors': ignored,
  'cors-allow-origin': ignored,
  'cors-allow-methods': ignored,
  'cors-allow-headers': ignored,
  'cors-allow-credentials': ignored,
  'cors-expose-headers': ignored,
  'cors-max-age': ignored,
  // mirror
  'mirror-target': ignored,
  'mirror-request-body': ignored,
  'mirror-host': ignored,
  // buffering
  'client-body-buffer-size': ignored,
  'proxy-request-buffering': ignored,
  'proxy-buffering': ignored,
  'proxy-buffer-size': ignored,
  'proxy-buffers-number': ignored,
  'proxy-busy-buffers-size': ignored,
  'proxy-max-temp-file-size': ignored,
  'proxy-http-version': ignored,
  // headers
  'custom-headers': ignored,
  'connection-proxy-header': ignored,
  'proxy-cookie-domain': ignored,
  'proxy-cookie-path': ignored,
  'http2-push-preload': ignored,
  // errors
  'custom-http-errors': ignored,
  'disable-proxy-intercept-errors': ignored,
  // observability
  'enable-rewrite-log': ignored,
  'enable-opentelemetry': ignored,
  'opentelemetry-trust-incoming-span': ignored,
  'opentelemetry-operation-name': ignored,
  // waf
  'enable-modsecurity': ignored,
  'enable-owasp-core-rules': ignored,
  'modsecurity-transaction-id': ignored,
  'modsecurity-snippet': dropped,
  // snippets
  'configuration-snippet': dropped,
  'server-snippet': dropped,
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

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
}

function ignored(preset = ''): Pending {
  return { otherwise: 'serve', preset }
}
const closed: Pending = { otherwise: 'close', preset: '' }
const dropped: Pending = { otherwise: 'drop', preset: '' }

export const ingressNginxPending: Readonly<Record<string, Pending>> = {
  // routing
  'rewrite-target': ignored(),
  'use-regex': ignored('false'),
  'app-root': ignored(),
  'server-alias': ignored(),
  'upstream-vhost': ignored(),
  'x-forwarded-prefix': ignored(),
  'default-backend': ignored(),
  'service-upstream': ignored('false'),
  'fastcgi-index': ignored(),
  'fastcgi-params-configmap': ignored(),
  // redirect
  'from-to-www-redirect': ignored('false'),
  'permanent-redirect': ignored(),
  'permanent-redirect-code': ignored('301'),
  'temporal-redirect': ignored(),
  'temporal-redirect-code': ignored('302'),
  'relative-redirects': ignored('false'),
  'use-port-in-redirects': ignored('false'),
  'proxy-redirect-from': ignored('off'),
  'proxy-redirect-to': ignored('off'),
  // TLS
  'ssl-passthrough': ignored('false'),
  'ssl-ciphers': ignored(),
  'ssl-prefer-server-ciphers': ignored(),
  'proxy-ssl-secret': ignored(),
  'proxy-ssl-verify': { otherwise: 'close', when: 'on', preset: 'off' },
  'proxy-ssl-verify-depth': ignored('1'),
  'proxy-ssl-name': ignored(),
  'proxy-ssl-server-name': ignored('off'),
  'proxy-ssl-ciphers': ignored('DEFAULT'),
  'proxy-ssl-protocols': ignored(),
  // client certificates
  'auth-tls-secret': closed,
  'auth-tls-verify-client': ignored('on'),
  'auth-tls-verify-depth': ignored('1'),
  'auth-tls-error-page': ignored(),
  'auth-tls-match-cn': ignored(),
  'auth-tls-pass-certificate-to-upstream': ignored('false'),
  // load balancing
  // auth
  'auth-type': closed,
  'auth-secret': closed,
  'auth-secret-type': ignored('auth-file'),
  'auth-realm': ignored(),
  satisfy: ignored('all'),
  // external auth
  'auth-url': closed,
  'auth-method': ignored('GET'),
  'auth-signin': ignored(),
  'auth-signin-redirect-param': ignored('rd'),
  'auth-response-headers': ignored(),
  'auth-proxy-set-headers': ignored(),
  'auth-request-redirect': ignored(),
  'auth-cache-key': ignored(),
  'auth-cache-duration': ignored('200 202 401 5m'),
  'auth-keepalive': ignored('0'),
  'auth-keepalive-share-vars': ignored('false'),
  'auth-keepalive-requests': ignored('1000'),
  'auth-keepalive-timeout': ignored('60'),
  'auth-always-set-cookie': ignored('false'),
  'auth-snippet': dropped,
  'enable-global-auth': ignored('true'),
  // limits
  'limit-rate': ignored('0'),
  'limit-rate-after': ignored('0'),
  // access
  'allowlist-source-range': closed,
  'denylist-source-range': closed,
  // CORS
  'enable-cors': ignored('false'),
  'cors-allow-origin': ignored('*'),
  'cors-allow-methods': ignored('GET, PUT, POST, DELETE, PATCH, OPTIONS'),
  'cors-allow-headers': ignored(),
  'cors-allow-credentials': ignored('true'),
  'cors-expose-headers': ignored(),
  'cors-max-age': ignored('1728000'),
  // mirror
  'mirror-target': ignored(),
  'mirror-request-body': ignored('on'),
  'mirror-host': ignored(),
  // buffering
  'client-body-buffer-size': ignored('8k'),
  'proxy-request-buffering': ignored('on'),
  'proxy-buffering': ignored('off'),
  'proxy-buffer-size': ignored('4k'),
  'proxy-buffers-number': ignored('4'),
  'proxy-busy-buffers-size': ignored(),
  'proxy-max-temp-file-size': ignored('1024m'),
  'proxy-http-version': ignored('1.1'),
  // headers
  'custom-headers': ignored(),
  'connection-proxy-header': ignored(),
  'proxy-cookie-domain': ignored('off'),
  'proxy-cookie-path': ignored('off'),
  'http2-push-preload': ignored('false'),
  // errors
  'custom-http-errors': ignored(),
  'disable-proxy-intercept-errors': ignored('false'),
  // observability
  'enable-rewrite-log': ignored('false'),
  'enable-opentelemetry': ignored(),
  'opentelemetry-trust-incoming-span': ignored('true'),
  'opentelemetry-operation-name': ignored(),
  // web application firewall
  'enable-modsecurity': ignored(),
  'enable-owasp-core-rules': ignored('false'),
  'modsecurity-transaction-id': ignored(),
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

/** Every annotation of ingress-nginx 1.15.1, the last release, without prefix. */
export const ingressNginxKeys = `
  rewrite-target use-regex app-root server-alias upstream-vhost x-forwarded-prefix
  default-backend service-upstream backend-protocol fastcgi-index fastcgi-params-configmap
  ssl-redirect force-ssl-redirect preserve-trailing-slash from-to-www-redirect permanent-redirect
  permanent-redirect-code temporal-redirect temporal-redirect-code relative-redirects
  use-port-in-redirects proxy-redirect-from proxy-redirect-to ssl-passthrough ssl-ciphers
  ssl-prefer-server-ciphers proxy-ssl-secret proxy-ssl-verify proxy-ssl-verify-depth
  proxy-ssl-name proxy-ssl-server-name proxy-ssl-ciphers proxy-ssl-protocols auth-tls-secret
  auth-tls-verify-client auth-tls-verify-depth auth-tls-error-page auth-tls-match-cn
  auth-tls-pass-certificate-to-upstream canary canary-by-header canary-by-header-value
  canary-by-header-pattern canary-by-cookie canary-weight canary-weight-total affinity
  affinity-mode affinity-canary-behavior session-cookie-name session-cookie-path
  session-cookie-domain session-cookie-samesite session-cookie-conditional-samesite-none
  session-cookie-secure session-cookie-expires session-cookie-max-age
  session-cookie-change-on-failure load-balance upstream-hash-by upstream-hash-by-subset
  upstream-hash-by-subset-size proxy-connect-timeout proxy-send-timeout proxy-read-timeout
  proxy-next-upstream proxy-next-upstream-timeout proxy-next-upstream-tries auth-type auth-secret
  auth-secret-type auth-realm satisfy auth-url auth-method auth-signin auth-signin-redirect-param
  auth-response-headers auth-proxy-set-headers auth-request-redirect auth-cache-key
  auth-cache-duration auth-keepalive auth-keepalive-share-vars auth-keepalive-requests
  auth-keepalive-timeout auth-always-set-cookie auth-snippet enable-global-auth limit-rps
  limit-rpm limit-connections limit-burst-multiplier limit-allowlist limit-rate limit-rate-after
  allowlist-source-range denylist-source-range enable-cors cors-allow-origin cors-allow-methods
  cors-allow-headers cors-allow-credentials cors-expose-headers cors-max-age mirror-target
  mirror-request-body mirror-host proxy-body-size client-body-buffer-size proxy-request-buffering
  proxy-buffering proxy-buffer-size proxy-buffers-number proxy-busy-buffers-size
  proxy-max-temp-file-size proxy-http-version custom-headers connection-proxy-header
  proxy-cookie-domain proxy-cookie-path http2-push-preload custom-http-errors
  disable-proxy-intercept-errors enable-access-log enable-rewrite-log enable-opentelemetry
  opentelemetry-trust-incoming-span opentelemetry-operation-name enable-modsecurity
  enable-owasp-core-rules modsecurity-transaction-id modsecurity-snippet configuration-snippet
  server-snippet stream-snippet
`
  .trim()
  .split(/\s+/)

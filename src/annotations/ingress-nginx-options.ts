/**
 * Keys of ingress-nginx's ConfigMap that Headgate knows and does not honour. A key that comes to be
 * honoured leaves this list.
 */
export const ingressNginxPendingOptions: ReadonlySet<string> = new Set([
  'enable-modsecurity',
  'enable-owasp-modsecurity-crs',
  'http-snippet',
  'location-snippet',
  'main-snippet',
  'modsecurity-snippet',
  'proxy-stream-responses',
  'server-snippet',
  'stream-snippet',
])

import { cipherSuites } from '#src/annotations/cipher-suites.ts'
import { cidr, fieldName } from '#src/annotations/names.ts'
import { buffers, duration, size } from '#src/annotations/quantities.ts'
import { optionTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { tlsVersions } from '#src/annotations/tls-versions.ts'
import { bool, integer, listOf, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { accessLogOptions } from './access-log-options.ts'

const defaults = defaultGlobalOptions
const countMax = 1_000_000_000

const word: ValueType<string> = {
  expects: 'text without commas',
  schema: {},
  parse: (text) => text,
  format: (text) => text,
}

/** Keys of the ConfigMap that hold for everything. */
export const globalOptions = optionTable({
  ...accessLogOptions,
  'allow-snippet-annotations': {
    type: bool,
    default: false,
    doc: "Whether annotations may hold nginx's configuration, which is translated. While it is off, an Ingress with such an annotation is not served. The annotations are of critical risk: see annotations-risk-level.",
    example: 'true',
    compatibility: 'same',
  },
  'annotations-risk-level': {
    type: oneOf(['Low', 'Medium', 'High', 'Critical']),
    default: 'High',
    doc: 'An Ingress with an annotation of a higher risk is not served.',
    example: 'Critical',
    compatibility: 'same',
  },
  'annotation-value-word-blocklist': {
    type: listOf(word),
    default: [],
    doc: 'An Ingress with an annotation whose value holds one of these is not served.',
    example: 'load_module,lua_package,root',
    compatibility: 'same',
  },
  'allow-cross-namespace-resources': {
    type: bool,
    default: false,
    doc: 'Whether annotations may name Secrets and ConfigMaps of other namespaces.',
    example: 'true',
    compatibility: 'same',
  },
  'disable-access-log': {
    type: bool,
    default: !defaults.accessLog,
    doc: 'Switches the access log off, whatever annotations say.',
    example: 'true',
    compatibility: 'same',
  },
  'keep-alive': {
    type: duration,
    default: defaults.keepAliveTimeoutMs,
    doc: 'How long a client connection stays open without a request. 0 closes it after each answer.',
    example: '30',
    compatibility: 'same',
  },
  'keep-alive-requests': {
    type: integer(0, countMax),
    default: defaults.keepAliveRequests,
    doc: 'Requests on one client connection before it is closed.',
    example: '10000',
    compatibility: 'same',
  },
  'upstream-keepalive-connections': {
    type: integer(0, countMax),
    default: defaults.upstreamKeepAliveConnections,
    doc: 'Idle connections that a worker keeps open to upstreams. 0 keeps none.',
    example: '100',
    compatibility: 'same',
  },
  'upstream-keepalive-requests': {
    type: integer(1, countMax),
    default: defaults.upstreamKeepAliveRequests,
    doc: 'Requests on one upstream connection before it is closed.',
    example: '1000',
    compatibility: 'same',
  },
  'upstream-keepalive-timeout': {
    type: duration,
    default: defaults.upstreamKeepAliveTimeoutMs,
    doc: 'How long an upstream connection is kept open without a request.',
    example: '30',
    compatibility: 'same',
  },
  'upstream-keepalive-time': {
    type: duration,
    default: defaults.upstreamKeepAliveTimeMs,
    doc: 'The greatest age at which an upstream connection takes another request.',
    example: '10m',
    compatibility: 'same',
  },
  'http2-max-concurrent-streams': {
    type: integer(1, 1000),
    default: defaults.http2ConcurrentStreams,
    doc: 'Requests at once on one HTTP/2 connection of a client; others are refused.',
    example: '256',
    compatibility: 'same',
  },
  'upstream-http2-ping-interval': {
    type: duration,
    default: defaults.upstreamPingIntervalMs,
    doc: 'After this silence an HTTP/2 endpoint with open streams is sent a PING, which it must answer within 10 s. 0 sends none.',
    example: '30',
    compatibility: 'own',
  },
  'client-header-timeout': {
    type: duration,
    default: defaults.requestHeadTimeoutMs,
    doc: 'How long the head of a request may take to arrive.',
    example: '10',
    compatibility: 'same',
  },
  'client-body-timeout': {
    type: duration,
    default: defaults.requestBodyTimeoutMs,
    doc: 'The longest pause between two reads of a request body.',
    example: '20',
    compatibility: 'same',
  },
  'large-client-header-buffers': {
    type: buffers,
    default: {
      count: defaults.requestHeadBytesMax / defaults.requestLineBytesMax,
      bytes: defaults.requestLineBytesMax,
    },
    doc: 'The request line may be as long as one buffer, the head as all of them together.',
    example: '4 16k',
    compatibility: 'same',
  },
  'request-fields-max': {
    type: integer(1, 10_000),
    default: defaults.requestFieldsMax,
    doc: 'Header fields that a request may have.',
    example: '100',
    compatibility: 'own',
  },
  'response-head-size-max': {
    type: size,
    default: defaults.responseHeadBytesMax,
    doc: 'The longest response head taken from an endpoint; a longer one becomes a 502.',
    example: '16k',
    compatibility: 'own',
  },
  'use-forwarded-headers': {
    type: bool,
    default: defaults.useForwardedHeaders,
    doc: 'Believes X-Forwarded-* of the peers in proxy-real-ip-cidr.',
    example: 'true',
    compatibility: 'same',
  },
  'enable-real-ip': {
    type: bool,
    default: defaults.realIp,
    doc: 'Takes the address of the client, and nothing else, from the forwarded-for-header of the peers in proxy-real-ip-cidr.',
    example: 'true',
    compatibility: 'same',
  },
  'compute-full-forwarded-for': {
    type: bool,
    default: defaults.computeFullForwardedFor,
    doc: 'Appends to X-Forwarded-For in place of replacing it.',
    example: 'true',
    compatibility: 'same',
  },
  'forwarded-for-header': {
    type: fieldName,
    default: defaults.forwardedForHeader,
    doc: 'The field in which a trusted peer names the client.',
    example: 'CF-Connecting-IP',
    compatibility: 'same',
  },
  'proxy-real-ip-cidr': {
    type: listOf(cidr),
    default: defaults.trustedPeers,
    doc: 'The peers whose forwarding headers and PROXY headers are believed.',
    example: '10.0.0.0/8,fd00::/8',
    compatibility: 'same',
  },
  'use-proxy-protocol': {
    type: bool,
    default: false,
    doc: 'Expects a PROXY protocol header (v1 or v2) on every connection to the http and https ports.',
    example: 'true',
    compatibility: 'same',
  },
  'proxy-protocol-header-timeout': {
    type: duration,
    default: defaults.proxyHeaderTimeoutMs,
    doc: 'How long a PROXY protocol header may take to arrive.',
    example: '10s',
    compatibility: 'same',
  },
  'enable-underscores-in-headers': {
    type: bool,
    default: defaults.underscoresInHeaders,
    doc: 'Passes on request fields with an underscore in their name, which are dropped otherwise.',
    example: 'true',
    compatibility: 'same',
  },
  'ignore-invalid-headers': {
    type: bool,
    default: defaults.ignoreInvalidHeaders,
    doc: 'Drops request fields whose names hold other characters than letters, digits and hyphens.',
    example: 'false',
    compatibility: 'same',
  },
  'generate-request-id': {
    type: bool,
    default: defaults.generateRequestId,
    doc: 'Gives a request without X-Request-ID one of our making.',
    example: 'false',
    compatibility: 'same',
  },
  'ssl-ciphers': {
    type: cipherSuites,
    default: [] as readonly string[],
    doc: 'Suites of TLS 1.2 for clients; those of TLS 1.3 are always offered. Only suites that are forward secret and authenticated can be chosen.',
    example: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    compatibility: 'same',
  },
  'ssl-protocols': {
    type: tlsVersions,
    default: defaults.tlsVersions,
    doc: 'Versions of TLS that clients may speak.',
    example: 'TLSv1.3',
    compatibility: 'same',
  },
  'ssl-reject-handshake': {
    type: bool,
    default: defaults.tlsRejectUnknown,
    doc: 'Refuses TLS to clients that ask for no host of ours, in place of showing them the default certificate.',
    example: 'true',
    compatibility: 'same',
  },
  'proxy-stream-timeout': {
    type: duration,
    default: 600_000,
    doc: 'How long a connection below HTTP may be silent in both directions.',
    example: '1h',
    compatibility: 'same',
  },
  'proxy-stream-next-upstream': {
    type: bool,
    default: true,
    doc: 'Below HTTP: whether another endpoint is tried when one cannot be connected to.',
    example: 'false',
    compatibility: 'same',
  },
  'proxy-stream-next-upstream-tries': {
    type: integer(0, 1000),
    default: 3,
    doc: 'Endpoints that are tried, the first included; 0 sets no limit.',
    example: '2',
    compatibility: 'same',
  },
  'proxy-stream-next-upstream-timeout': {
    type: duration,
    default: 600_000,
    doc: 'No further endpoint is tried after this; 0 sets no limit.',
    example: '10s',
    compatibility: 'same',
  },
  hsts: {
    type: bool,
    default: true,
    doc: 'Adds Strict-Transport-Security to answers over https, in place of what the upstream sent.',
    example: 'false',
    compatibility: 'same',
  },
  'hsts-max-age': {
    type: integer(0, 10_000_000_000),
    default: 31_536_000,
    doc: 'Seconds for which browsers keep to https.',
    example: '86400',
    compatibility: 'same',
  },
  'hsts-include-subdomains': {
    type: bool,
    default: true,
    doc: 'Whether Strict-Transport-Security holds for the names below the host, too.',
    example: 'false',
    compatibility: 'same',
  },
  'hsts-preload': {
    type: bool,
    default: false,
    doc: 'Whether browser makers may take the host into their lists.',
    example: 'true',
    compatibility: 'same',
  },
  'worker-shutdown-timeout': {
    type: duration,
    default: defaults.drainTimeoutMs,
    doc: 'How long requests in flight may go on after SIGTERM (ingress-nginx: 240 s). The flag --drain-timeout wins.',
    example: '240s',
    compatibility: 'same',
  },
  'allow-backend-server-header': {
    type: bool,
    default: defaults.backendServerHeader,
    doc: 'Passes on the Server field of upstreams.',
    example: 'true',
    compatibility: 'same',
  },
  'use-http2': {
    type: bool,
    default: defaults.http2,
    doc: 'Offers HTTP/2 to clients over TLS. Connections that speak it already go on.',
    example: 'false',
    compatibility: 'same',
  },
  'strict-validate-path-type': {
    type: bool,
    default: true,
    doc: 'Serves Exact and Prefix paths only if they are made of letters, digits and -._/ alone.',
    example: 'false',
    compatibility: 'same',
  },
})

export type GlobalValues = ValuesOf<typeof globalOptions>

/** The options of the table. A drain time from the command line wins over the ConfigMap's. */
export function globalOptionsOf(
  values: GlobalValues,
  drainTimeoutMs: number | undefined,
): GlobalOptions {
  const keepAliveTimeoutMs = values['keep-alive']
  const headBuffers = values['large-client-header-buffers']
  return {
    accessLog: !values['disable-access-log'],
    keepAliveTimeoutMs,
    // nginx reads keep-alive 0 as "one request a connection", not as "without limit".
    keepAliveRequests: keepAliveTimeoutMs === 0 ? 1 : values['keep-alive-requests'],
    upstreamKeepAliveConnections: values['upstream-keepalive-connections'],
    upstreamKeepAliveRequests: values['upstream-keepalive-requests'],
    upstreamKeepAliveTimeoutMs: values['upstream-keepalive-timeout'],
    upstreamKeepAliveTimeMs: values['upstream-keepalive-time'],
    http2ConcurrentStreams: values['http2-max-concurrent-streams'],
    upstreamPingIntervalMs: values['upstream-http2-ping-interval'],
    requestHeadTimeoutMs: values['client-header-timeout'],
    requestBodyTimeoutMs: values['client-body-timeout'],
    requestLineBytesMax: headBuffers.bytes,
    requestHeadBytesMax: headBuffers.count * headBuffers.bytes,
    requestFieldsMax: values['request-fields-max'],
    responseHeadBytesMax: values['response-head-size-max'],
    useForwardedHeaders: values['use-forwarded-headers'],
    computeFullForwardedFor: values['compute-full-forwarded-for'],
    forwardedForHeader: values['forwarded-for-header'],
    trustedPeers: values['proxy-real-ip-cidr'],
    proxyHeaderTimeoutMs: values['proxy-protocol-header-timeout'],
    underscoresInHeaders: values['enable-underscores-in-headers'],
    ignoreInvalidHeaders: values['ignore-invalid-headers'],
    generateRequestId: values['generate-request-id'],
    realIp: values['enable-real-ip'],
    backendServerHeader: values['allow-backend-server-header'],
    http2: values['use-http2'],
    logFormat: values['log-format-upstream'],
    logEscape: logEscape(values),
    skipAccessLogUrls: values['skip-access-log-urls'],
    hsts: strictTransportSecurity(values),
    tlsCiphers: values['ssl-ciphers'],
    tlsVersions: values['ssl-protocols'],
    tlsRejectUnknown: values['ssl-reject-handshake'],
    drainTimeoutMs: drainTimeoutMs ?? values['worker-shutdown-timeout'],
  }
}

function logEscape(values: GlobalValues): GlobalOptions['logEscape'] {
  if (values['log-format-escape-json']) return 'json'
  return values['log-format-escape-none'] ? 'none' : 'default'
}

/** The field value of RFC 6797 6.1, '' when it is off. */
function strictTransportSecurity(values: GlobalValues): string {
  if (!values.hsts) return ''
  const subdomains = values['hsts-include-subdomains'] ? '; includeSubDomains' : ''
  return `max-age=${values['hsts-max-age']}${subdomains}${values['hsts-preload'] ? '; preload' : ''}`
}

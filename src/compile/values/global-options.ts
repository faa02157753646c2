import { duration } from '#src/annotations/quantities.ts'
import { optionTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { bool, integer, listOf, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import type { CompileSettings } from '../settings.ts'
import { accessLogOptions, logEscapeOf, logFormatOf } from './access-log-options.ts'
import { connectionOptions } from './connection-options.ts'
import { identityOptions } from './identity-options.ts'
import { strictTransportSecurity, tlsOptions } from './tls-options.ts'

const defaults = defaultGlobalOptions

const word: ValueType<string> = {
  expects: 'text without commas',
  schema: {},
  parse: (text) => text,
  format: (text) => text,
}

/** Keys of the ConfigMap that hold for everything. */
export const globalOptions = optionTable({
  ...accessLogOptions,
  ...connectionOptions,
  ...identityOptions,
  ...tlsOptions,
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
  'allow-backend-server-header': {
    type: bool,
    default: defaults.backendServerHeader,
    doc: 'Passes on the Server field of upstreams.',
    example: 'true',
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
  { accessLog, drainTimeoutMs }: Pick<CompileSettings, 'accessLog' | 'drainTimeoutMs'>,
): GlobalOptions {
  const keepAliveTimeoutMs = values['keep-alive']
  const headBuffers = values['large-client-header-buffers']
  return {
    // Made of other objects, too; see `EverywhereCompiler`.
    policies: [],
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
    logFormat: logFormatOf(values, accessLog),
    streamLogFormat: values['log-format-stream'],
    logEscape: logEscapeOf(values),
    skipAccessLogUrls: values['skip-access-log-urls'],
    hsts: strictTransportSecurity(values),
    tlsCiphers: values['ssl-ciphers'],
    tlsVersions: values['ssl-protocols'],
    tlsRejectUnknown: values['ssl-reject-handshake'],
    drainTimeoutMs: drainTimeoutMs ?? values['worker-shutdown-timeout'],
  }
}

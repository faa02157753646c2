import { buffers, duration, size } from '#src/annotations/quantities.ts'
import { optionTable } from '#src/annotations/schema.ts'
import { bool, integer } from '#src/annotations/types.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'

const defaults = defaultGlobalOptions
const countMax = 1_000_000_000

/** Keys of the ConfigMap about connections: how long they are kept, and what one may carry. */
export const connectionOptions = optionTable({
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
    doc: 'Connections that a worker keeps open to upstreams when they have been idle for a second. 0 keeps none.',
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
  'use-http2': {
    type: bool,
    default: defaults.http2,
    doc: 'Offers HTTP/2 to clients over TLS. Connections that speak it already go on.',
    example: 'false',
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
  'worker-shutdown-timeout': {
    type: duration,
    default: defaults.drainTimeoutMs,
    doc: 'How long requests in flight may go on after SIGTERM (ingress-nginx: 240 s). The flag --drain-timeout wins.',
    example: '240s',
    compatibility: 'same',
  },
})

import type { ResetReason, UpstreamFailure } from '#src/exchange/streams.ts'

/** Numbers of RFC 9113: frames (6), errors (7), settings (6.5.2) and sizes. */

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const flag = {
  /** SETTINGS and PING. */
  ack: 0x1,
  /** DATA and HEADERS. */
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const

export const errorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  connect: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const

export type ErrorCode = (typeof errorCode)[keyof typeof errorCode]

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  /** RFC 8441 3. */
  enableConnectProtocol: 8,
  /** RFC 9218 2.1. */
  noRfc7540Priorities: 9,
} as const

export const frameHeaderBytes = 9
/** SETTINGS_MAX_FRAME_SIZE at the start, and what we announce: none. */
export const defaultFrameBytes = 16_384
export const maxFrameBytes = 16_777_215
export const defaultWindow = 65_535
export const maxWindow = 0x7fff_ffff
export const maxStreamId = 0x7fff_ffff

/** What a client sends first (RFC 9113 3.4). */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Why we reset a stream, as the peer reads it. */
export const resetCodes: Readonly<Record<ResetReason, ErrorCode>> = {
  cancel: errorCode.cancel,
  refused: errorCode.refusedStream,
  timeout: errorCode.cancel,
  'too-large': errorCode.cancel,
  'protocol-error': errorCode.protocol,
  'upstream-failed': errorCode.internal,
  internal: errorCode.internal,
}

/** Why the client reset a stream, as the proxy reads it. */
export function resetReasonOf(code: number): ResetReason {
  if (code === errorCode.protocol) return 'protocol-error'
  return code === errorCode.internal ? 'internal' : 'cancel'
}

/** What an upstream's RST_STREAM means; REFUSED_STREAM promises that nothing was done (8.7). */
export function failureOf(code: number): UpstreamFailure {
  return code === errorCode.refusedStream ? 'refused-stream' : 'reset'
}

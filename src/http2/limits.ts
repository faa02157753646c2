import type { NameRules } from './hpack/field-name.ts'

/**
 * What one HTTP/2 session may take. Sizes are bytes, times milliseconds; a time of 0 switches its
 * limit off.
 */
export interface Http2Limits extends NameRules {
  /** Streams at once that a client may open (SETTINGS_MAX_CONCURRENT_STREAMS). */
  readonly concurrentStreams: number
  /** Size of a field list as RFC 9113 6.5.2 counts it, 32 a field included. */
  readonly headerListBytes: number
  /** Fields in one message; the crumbs of Cookie count as one. */
  readonly fields: number
  /** Compressed size of one field block, over all its CONTINUATION frames. */
  readonly headerBlockBytes: number
  /** CONTINUATION frames in one block. */
  readonly continuations: number
  /** Window of a stream at its start, and how far it grows while the proxy keeps up. */
  readonly streamWindowBytes: number
  readonly streamWindowBytesMax: number
  /** Window of the connection. */
  readonly connectionWindowBytes: number
  /** Bodies held for paused streams before the connection's window stops being renewed. */
  readonly heldBytes: number
  /** Unread answers to control frames before reading stops. */
  readonly pendingOutputBytes: number
  /** Work taken on in one turn of the event loop; a request weighs `requestWork`, another frame 1. */
  readonly turnWork: number
  /** Requests on one connection before it is drained; 0: no limit. */
  readonly requests: number
  /** Client resets of unfinished streams: at once, and more per second. Each finished stream adds 1. */
  readonly resetBurst: number
  readonly resetsPerSecond: number
  /** The same for streams that end by an error of the client or are refused. */
  readonly errorBurst: number
  readonly errorsPerSecond: number
  /** Frames that carry nothing forward; DATA and HEADERS either way add to it. */
  readonly controlBurst: number
  readonly controlsPerSecond: number
  /** A connection without streams is closed. */
  readonly idleTimeoutMs: number
  /** A field block must be complete, from its first frame. */
  readonly headTimeoutMs: number
  /** Between two pieces of a request body, while we wait for the client and no answer has begun. */
  readonly bodyTimeoutMs: number
  /** A client must take 1 KiB of an answer, or all there is, and any connection something, in this time. */
  readonly sendTimeoutMs: number
  /** SETTINGS must be acknowledged. */
  readonly settingsTimeoutMs: number
  /** With streams open and nothing received for this long, ask with PING; off by default. */
  readonly pingIntervalMs: number
  /** The answer to such a PING. */
  readonly pingTimeoutMs: number
  /** How long a connection that we end may go on sending before it is cut. */
  readonly lingerTimeoutMs: number
}

/** For clients of the ingress. */
export const serverLimits: Http2Limits = {
  concurrentStreams: 128,
  headerListBytes: 64 * 1024,
  fields: 128,
  headerBlockBytes: 64 * 1024,
  continuations: 16,
  streamWindowBytes: 128 * 1024,
  streamWindowBytesMax: 1024 * 1024,
  connectionWindowBytes: 1024 * 1024,
  heldBytes: 4 * 1024 * 1024,
  pendingOutputBytes: 64 * 1024,
  turnWork: 1024,
  requests: 0,
  resetBurst: 128,
  resetsPerSecond: 50,
  errorBurst: 64,
  errorsPerSecond: 10,
  controlBurst: 2000,
  controlsPerSecond: 200,
  idleTimeoutMs: 75_000,
  headTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  sendTimeoutMs: 60_000,
  settingsTimeoutMs: 10_000,
  pingIntervalMs: 0,
  pingTimeoutMs: 10_000,
  lingerTimeoutMs: 500,
  ignoreInvalidHeaders: true,
  underscoresInHeaders: false,
}

/** For upstreams. Slow bodies are the proxy's to time, its pool's idle time ends idle connections. */
export const clientLimits: Http2Limits = {
  ...serverLimits,
  concurrentStreams: 1000,
  fields: 256,
  streamWindowBytes: 256 * 1024,
  idleTimeoutMs: 0,
  bodyTimeoutMs: 0,
  resetBurst: 1000,
  resetsPerSecond: 1000,
  errorBurst: 1000,
  errorsPerSecond: 1000,
  controlBurst: 10_000,
  controlsPerSecond: 1000,
}

/** What a request weighs against `turnWork`. */
export const requestWork = 8

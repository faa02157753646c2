/** What a session counts when it defends itself or a peer breaks the protocol: labels of one metric. */
export const http2Counters = [
  // Abuse: the connection is closed with ENHANCE_YOUR_CALM unless said otherwise.
  'http2_rapid_reset',
  'http2_stream_errors',
  'http2_reset_flood',
  'http2_settings_flood',
  'http2_ping_flood',
  'http2_priority_flood',
  'http2_window_flood',
  'http2_empty_frame_flood',
  'http2_unknown_frame_flood',
  'http2_continuation_flood',
  'http2_unread_answers',
  /** Streams refused above the announced limit; the connection stays. */
  'http2_streams_over_limit',
  /** A request with too many fields: answered with 431. */
  'http2_header_list_too_large',
  // Too slow: the stream is reset, or the connection closed where it is at fault as a whole.
  'http2_slow_reader',
  'http2_slow_body',
  'http2_slow_headers',
  'http2_settings_timeout',
  'http2_ping_timeout',
  // Broken: the stream or the connection ends with the error of the RFC.
  'http2_malformed',
  'http2_protocol_error',
  'http2_flow_control_error',
  'http2_compression_error',
  /** Input was put off to the next turn, so that other connections get theirs. */
  'http2_turn_limit',
] as const

export type Http2Counter = (typeof http2Counters)[number]

/** One number per name; the owner adds them to its metrics. */
export interface Http2Counters {
  increment(name: Http2Counter): void
}

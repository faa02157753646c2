interface WorkerFamily {
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** Name of the one label, with every value that it can have. */
  readonly label?: string
  readonly values?: readonly string[]
}

/**
 * Every metric that a worker counts for itself. The name is that of the metric without its prefix
 * `headgate_`; the exposition and the memory follow from this table.
 */
export const workerFamilies = {
  worker_table_version: {
    type: 'gauge',
    help: 'Version of the table that the worker runs.',
  },
  connections: {
    type: 'gauge',
    help: 'Open connections of clients.',
    label: 'protocol',
    values: ['http', 'https', 'tcp'],
  },
  connections_accepted_total: {
    type: 'counter',
    help: 'Connections accepted from clients.',
    label: 'protocol',
    values: ['http', 'https', 'tcp'],
  },
  trace_spans_total: {
    type: 'counter',
    help: 'Spans of traced requests, by what the worker did with them.',
    label: 'outcome',
    values: ['recorded', 'dropped'],
  },
  tunnels: {
    type: 'gauge',
    help: 'Upgraded connections (WebSocket and others) that are open.',
  },
  requests_in_flight: {
    type: 'gauge',
    help: 'Requests whose response has not ended.',
  },
  requests_rejected_total: {
    type: 'counter',
    help: 'Requests refused before any route was found, by status of the answer.',
    label: 'status',
    values: ['400', '404', '408', '413', '414', '417', '421', '431', '501', '503', '505', 'other'],
  },
  tls_handshakes_total: {
    type: 'counter',
    help: 'TLS handshakes with clients, by outcome.',
    label: 'outcome',
    values: ['full', 'resumed', 'failed'],
  },
  timeouts_total: {
    type: 'counter',
    help: 'Deadlines that were missed, by kind.',
    label: 'kind',
    values: [
      'request-head',
      'request-body',
      'tls-handshake',
      'connect',
      'send',
      'response',
      'tunnel-idle',
      'grpc-deadline',
      'suspension',
    ],
  },
  listeners_missing: {
    type: 'gauge',
    help: 'Ports that the table asks for and that could not be opened; they are tried again.',
  },
  streams_total: {
    type: 'counter',
    help: 'Connections passed on below HTTP that have ended, by outcome.',
    label: 'outcome',
    values: [
      'served',
      'reset',
      'idle',
      'no-endpoint',
      'unreachable',
      'timeout',
      'client-gone',
      'draining',
    ],
  },
  stream_bytes_total: {
    type: 'counter',
    help: 'Bytes passed on below HTTP: received from clients, sent to them.',
    label: 'direction',
    values: ['received', 'sent'],
  },
  upstream_connections: {
    type: 'gauge',
    help: 'Open connections to endpoints.',
    label: 'state',
    values: ['active', 'idle'],
  },
  upstream_connections_opened_total: {
    type: 'counter',
    help: 'Connections opened to endpoints.',
  },
  limits_evicted_total: {
    type: 'counter',
    help: 'Clients whose rate was forgotten, or whose request was not counted, because the table of limits was full.',
  },
  mirrored_requests_total: {
    type: 'counter',
    help: 'Copies of requests for mirrors, by fate: too-large and too-many were not sent, cut had no whole body.',
    label: 'fate',
    values: ['answered', 'failed', 'too-large', 'too-many', 'cut'],
  },
  auth_answers_left_out_total: {
    type: 'counter',
    help: 'Kept answers of authentication services that the other workers were not told of: too many a second, or too long.',
  },
  upstream_retries_total: {
    type: 'counter',
    help: 'Tries after the first one.',
  },
  upstream_ejections_total: {
    type: 'counter',
    help: 'Endpoints that were ejected after failures in a row, of requests or of health checks.',
  },
  health_checks_total: {
    type: 'counter',
    help: 'Health checks of endpoints, by outcome; delayed: times that too many were under way to send what was due.',
    label: 'outcome',
    values: ['good', 'failed', 'delayed'],
  },
  load_reports_total: {
    type: 'counter',
    help: 'Load reports (ORCA) in answers of endpoints whose balancing algorithm reads them, by outcome.',
    label: 'outcome',
    values: ['read', 'malformed'],
  },
  load_probes_total: {
    type: 'counter',
    help: 'Probes that ask endpoints for their load, by outcome; skipped: too many were under way.',
    label: 'outcome',
    values: ['reported', 'unreported', 'timeout', 'failed', 'skipped'],
  },
  http2_events_total: {
    type: 'counter',
    help: 'What HTTP/2 sessions defended themselves against, and broken or slow peers, by kind.',
    label: 'kind',
    // The kinds are those of the HTTP/2 codec, which names each of them.
    values: [
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
      'http2_streams_over_limit',
      'http2_header_list_too_large',
      'http2_slow_reader',
      'http2_slow_body',
      'http2_slow_headers',
      'http2_settings_timeout',
      'http2_ping_timeout',
      'http2_malformed',
      'http2_protocol_error',
      'http2_flow_control_error',
      'http2_compression_error',
      'http2_turn_limit',
    ],
  },
  compression_skipped_total: {
    type: 'counter',
    help: 'Answers that were not compressed because the worker was compressing too many.',
  },
  replay_bytes: {
    type: 'gauge',
    help: 'Bytes of request bodies that are kept for another try.',
  },
  replay_bodies_dropped_total: {
    type: 'counter',
    help: 'Request bodies that were not kept for another try because the worker keeps too many bytes.',
  },
  access_log_lines_total: {
    type: 'counter',
    help: 'Lines of the access log, by fate.',
    label: 'fate',
    values: ['written', 'dropped'],
  },
  internal_errors_total: {
    type: 'counter',
    help: 'Exchanges that ended by a fault of the proxy itself.',
  },
} as const satisfies Record<string, WorkerFamily>

export type WorkerFamilies = typeof workerFamilies

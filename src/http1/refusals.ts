/**
 * Every way in which a request is refused before the proxy sees it, with the status of the answer.
 * The code goes to logs and metrics.
 */
export const refusals = {
  'malformed-request-line': 400,
  'malformed-target': 400,
  'unsupported-version': 505,
  'request-line-too-long': 414,
  'head-too-large': 431,
  'too-many-fields': 431,
  'malformed-field': 400,
  'missing-host': 400,
  'duplicate-host': 400,
  'malformed-host': 400,
  'malformed-connection': 400,
  'malformed-framing': 400,
  'unsupported-coding': 501,
  'duplicate-credentials': 400,
  'unknown-expectation': 417,
  'method-not-allowed': 405,
  'malformed-max-forwards': 400,
  'no-forwards-left': 200,
  'malformed-body': 400,
  'chunk-extensions-too-large': 413,
  'trailers-too-large': 431,
  'head-timeout': 408,
  'body-timeout': 408,
} as const satisfies Record<string, number>

export type Refusal = keyof typeof refusals

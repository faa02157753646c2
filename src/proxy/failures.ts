/**
 * Every way a request can fail inside the proxy: what the client is told, and when another try is
 * allowed. Nothing else maps a failure to a status.
 *
 * `retry`: 'error' and 'timeout' are the conditions of proxy-next-upstream; 'never' ends it.
 * `connecting`: no connection came about.
 * `ejects`: counts against the endpoint; clients cannot bring it about.
 * `unsent`: the upstream cannot have seen the request, so any method may be tried again.
 */
export const failures = {
  'bad-path': { status: 400, retry: 'never', unsent: true, connecting: false, ejects: false },
  'no-route': { status: 404, retry: 'never', unsent: true, connecting: false, ejects: false },
  'body-too-large': {
    status: 413,
    retry: 'never',
    unsent: false,
    connecting: false,
    ejects: false,
  },
  misdirected: { status: 421, retry: 'never', unsent: true, connecting: false, ejects: false },
  'rewrite-loop': { status: 500, retry: 'never', unsent: true, connecting: false, ejects: false },
  internal: { status: 500, retry: 'never', unsent: false, connecting: false, ejects: false },
  'no-endpoint': { status: 503, retry: 'never', unsent: true, connecting: false, ejects: false },
  draining: { status: 503, retry: 'never', unsent: true, connecting: false, ejects: false },
  'suspend-timeout': {
    status: 504,
    retry: 'never',
    unsent: true,
    connecting: false,
    ejects: false,
  },
  'deadline-exceeded': {
    status: 504,
    retry: 'never',
    unsent: false,
    connecting: false,
    ejects: false,
  },
  'connect-refused': { status: 502, retry: 'error', unsent: true, connecting: true, ejects: true },
  'connect-timeout': {
    status: 504,
    retry: 'timeout',
    unsent: true,
    connecting: true,
    ejects: true,
  },
  'tls-failed': { status: 502, retry: 'error', unsent: true, connecting: true, ejects: true },
  'refused-stream': { status: 502, retry: 'error', unsent: true, connecting: false, ejects: false },
  limit: { status: 503, retry: 'error', unsent: true, connecting: false, ejects: false },
  closed: { status: 502, retry: 'error', unsent: false, connecting: false, ejects: true },
  reset: { status: 502, retry: 'error', unsent: false, connecting: false, ejects: true },
  malformed: {
    status: 502,
    retry: 'invalid-header',
    unsent: false,
    connecting: false,
    ejects: false,
  },
  'head-too-large': {
    status: 502,
    retry: 'never',
    unsent: false,
    connecting: false,
    ejects: false,
  },
  'send-timeout': { status: 504, retry: 'timeout', unsent: false, connecting: false, ejects: true },
  'response-timeout': {
    status: 504,
    retry: 'timeout',
    unsent: false,
    connecting: false,
    ejects: true,
  },
} as const satisfies Record<
  string,
  {
    status: number
    retry: string
    unsent: boolean
    connecting: boolean
    ejects: boolean
  }
>

export type FailureCode = keyof typeof failures

/** Methods that may be sent again without harm (RFC 9110 9.2.2, and the safe ones of WebDAV). */
const idempotentMethods = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
  'PROPFIND',
  'REPORT',
  'SEARCH',
])

export function isIdempotent(method: string): boolean {
  return method === 'GET' || idempotentMethods.has(method)
}

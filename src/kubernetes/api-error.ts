/** Why a request to the API server failed, where no status says it. */
export type FailureReason =
  'Unreachable' | 'Timeout' | 'Aborted' | 'Credentials' | 'TooLarge' | 'Malformed'

/** What an answer of the API server (`kind: Status`) or a failed connection came to. */
export interface ApiFailure {
  /** HTTP status, 0: no answer came. */
  readonly status: number
  /** The server's own word (metav1.StatusReason, such as Forbidden, NotFound, Expired) or ours. */
  readonly reason: string
  readonly message: string
  /** How long the server wants to be left alone, in milliseconds, up to five minutes; 0: it does not say. */
  readonly retryAfterMs?: number
}

/** A request to the API server that failed. The message is one line: method, path, and why. */
export class ApiError extends Error {
  readonly status: number
  readonly reason: string
  readonly retryAfterMs: number

  constructor(request: string, { status, reason, message, retryAfterMs = 0 }: ApiFailure) {
    const shown = status > 0 ? `${status} ` : ''
    super(`${request}: ${shown}${oneLine(message) || reason}`)
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
    this.retryAfterMs = retryAfterMs
  }
}

const messageLengthMax = 500
/** More than this no server means, and timers have a bound. */
const retryAfterMsMax = 300_000

/** Whether the object is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

/** Whether somebody else wrote first, or the object is there already. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409
}

/** Whether RBAC lacks a right. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403
}

/** Whether a resource version or a page is too old, so that everything has to be listed again. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired')
}

/**
 * The rest before the next try after a failure, in milliseconds: `restMs`, or as long as the server asks
 * to be left alone. That is spread to the double, for everybody else is told the same at the same moment.
 */
export function restAfter(error: unknown, restMs: number, random: () => number): number {
  if (!(error instanceof ApiError) || error.retryAfterMs === 0) return restMs
  return Math.max(restMs, error.retryAfterMs * (1 + random()))
}

/** The failure that a body of kind Status tells; `text` may be anything. */
export function failureOf(status: number, text: string, retryAfterSeconds: unknown): ApiFailure {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    parsed = undefined
  }
  const { reason, message } = (isStatus(parsed) ? parsed : {}) as Record<string, unknown>
  const seconds = typeof retryAfterSeconds === 'string' ? Number(retryAfterSeconds) : 0
  return {
    status,
    reason: typeof reason === 'string' ? reason : '',
    message: typeof message === 'string' && message !== '' ? message : text,
    retryAfterMs: seconds > 0 ? Math.min(seconds * 1000, retryAfterMsMax) : 0,
  }
}

function isStatus(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status'
}

function oneLine(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, messageLengthMax)
}

import type { ValueType } from '#src/annotations/types.ts'
import type { RetrySettings } from '#src/table/table.ts'

/** When another endpoint is tried. */
export type RetryConditions = Omit<RetrySettings, 'triesMax' | 'timeoutMs'>

const statuses = [500, 502, 503, 504, 403, 404, 429]
const words: readonly string[] = [
  'error',
  'timeout',
  'invalid_header',
  ...statuses.map((status) => `http_${status}`),
  'non_idempotent',
  'off',
]

/** The value of nginx's proxy_next_upstream: words between spaces; `off` beats all others. */
export const retryConditions: ValueType<RetryConditions> = {
  expects: `words out of ${words.join(', ')}, with spaces between them`,
  schema: { pattern: `^(?:(?:${words.join('|')})\\s*)+$` },
  parse(text) {
    const given = new Set(text.split(/\s+/))
    if ([...given].some((word) => !words.includes(word))) return undefined
    const on = (word: string): boolean => !given.has('off') && given.has(word)
    return {
      onError: on('error'),
      onTimeout: on('timeout'),
      onInvalidHeader: on('invalid_header'),
      onStatuses: statuses.filter((status) => on(`http_${status}`)),
      nonIdempotent: on('non_idempotent'),
    }
  },
  format({ onError, onTimeout, onInvalidHeader, onStatuses, nonIdempotent }) {
    const given = [
      ...(onError ? ['error'] : []),
      ...(onTimeout ? ['timeout'] : []),
      ...(onInvalidHeader ? ['invalid_header'] : []),
      ...onStatuses.map((status) => `http_${status}`),
      ...(nonIdempotent ? ['non_idempotent'] : []),
    ]
    return given.length === 0 ? 'off' : given.join(' ')
  },
  explain(text) {
    const bad = text.split(/\s+/).find((word) => !words.includes(word))
    return bad === undefined ? undefined : `${JSON.stringify(bad)} is not one of them`
  },
}

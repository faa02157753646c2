import { duration, size } from '#src/annotations/quantities.ts'
import { annotationTable, optionTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { bool, integer, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { defaultRouteSettings } from '#src/table/defaults.ts'
import type { RouteSettings } from '#src/table/table.ts'
import { retryConditions } from './retry-conditions.ts'

const defaults = defaultRouteSettings
const { triesMax: _tries, timeoutMs: _timeout, ...defaultConditions } = defaults.retry

const requestBuffering: ValueType<boolean> = {
  expects: 'one of on, off',
  schema: { enum: ['on', 'off'] },
  parse: (text) => (text === 'on' || text === 'off' ? text === 'on' : undefined),
  format: (on) => (on ? 'on' : 'off'),
  warn(text) {
    if (text !== 'on') return undefined
    return 'a body is passed on as it comes, and kept up to 1 MiB for another try; ingress-nginx reads it whole before it asks anybody'
  },
}

/** Limits, times and retries of a route. */
export const routeAnnotations = annotationTable({
  'proxy-body-size': {
    type: size,
    default: defaults.bodyBytesMax,
    doc: 'The longest request body; a longer one is answered 413. 0 sets no limit.',
    example: '8m',
    risk: 'medium',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'proxy-buffer-size': {
    type: size,
    default: defaults.responseHeadBytesMax,
    doc: 'The longest head of an answer of an HTTP/1.1 upstream; a longer one is answered 502. Unset or 0, and beyond it, response-head-size-max alone holds, where nginx takes 4k.',
    example: '16k',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'proxy-connect-timeout': {
    type: duration,
    default: defaults.connectTimeoutMs,
    doc: 'How long connecting to an endpoint may take.',
    example: '3',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'proxy-send-timeout': {
    type: duration,
    default: defaults.sendTimeoutMs,
    doc: 'The longest pause between two writes to an endpoint.',
    example: '30',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'proxy-read-timeout': {
    type: duration,
    default: defaults.readTimeoutMs,
    doc: 'The longest pause between two reads from an endpoint; it also ends idle WebSockets.',
    example: '5m',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'proxy-next-upstream': {
    type: retryConditions,
    default: defaultConditions,
    doc: 'When another endpoint is tried. Requests that are not idempotent are not repeated unless non_idempotent is given.',
    example: 'error timeout http_503',
    risk: 'medium',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'proxy-next-upstream-timeout': {
    type: duration,
    default: defaults.retry.timeoutMs,
    doc: 'How long tries may go on in all. 0 sets no limit.',
    example: '10',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'proxy-next-upstream-tries': {
    type: integer(0, 1000),
    default: defaults.retry.triesMax,
    doc: 'Tries in all, the first included. 0 sets no limit but the number of endpoints.',
    example: '2',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'proxy-request-buffering': {
    type: requestBuffering,
    default: defaults.requestBuffering,
    doc: 'With on, up to 1 MiB of the body of a request that may be repeated is kept for another try; with off, up to 64 KiB. Bodies are passed on as they come.',
    example: 'off',
    risk: 'low',
    scope: 'path',
    compatibility: {
      differs:
        'bodies go on to the upstream as they come, whether on or off: what on brings is that a request that may be repeated is, with up to 1 MiB of body',
    },
    option: true,
  },
  'enable-access-log': {
    type: bool,
    default: defaults.accessLog,
    doc: 'Whether requests of this route are written to the access log.',
    example: 'false',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
  },
  'path-normalization': {
    type: oneOf(['nginx', 'strict']),
    default: 'nginx',
    doc: 'How paths are matched: nginx decodes them once; strict also answers 400 to a path in which an encoded slash or dot changes the match.',
    example: 'strict',
    risk: 'low',
    scope: 'path',
    compatibility: 'own',
  },
})

export const routeOptions = optionTable({
  'retry-non-idempotent': {
    type: bool,
    default: defaults.retry.nonIdempotent,
    doc: 'Repeats requests that are not idempotent as well, on every route.',
    example: 'true',
    compatibility: 'same',
  },
})

export type RouteValues = ValuesOf<typeof routeAnnotations>

/** The settings of a route, given its values and those of the ConfigMap. */
export function routeSettingsOf(
  values: RouteValues,
  options: ValuesOf<typeof routeOptions>,
): RouteSettings {
  const conditions = values['proxy-next-upstream']
  return {
    bodyBytesMax: values['proxy-body-size'],
    responseHeadBytesMax: values['proxy-buffer-size'],
    connectTimeoutMs: values['proxy-connect-timeout'],
    sendTimeoutMs: values['proxy-send-timeout'],
    readTimeoutMs: values['proxy-read-timeout'],
    retry: {
      triesMax: values['proxy-next-upstream-tries'],
      timeoutMs: values['proxy-next-upstream-timeout'],
      onError: conditions.onError,
      onTimeout: conditions.onTimeout,
      onInvalidHeader: conditions.onInvalidHeader,
      onStatuses: conditions.onStatuses,
      nonIdempotent: conditions.nonIdempotent || options['retry-non-idempotent'],
    },
    requestBuffering: values['proxy-request-buffering'],
    accessLog: values['enable-access-log'],
    strictPath: values['path-normalization'] === 'strict',
  }
}

import { bool, duration, fieldName, integer, listOf, origin, text } from './flag-types.ts'

/** Flags of `headgate compare`. */
export const compareFlags = {
  old: {
    type: origin,
    default: '',
    help: 'The controller in force, as http://address:port or https://address:port.',
    group: 'compare',
  },
  new: {
    type: origin,
    default: '',
    help: 'The controller that is to take its place.',
    group: 'compare',
  },
  'access-log': {
    type: text('FILE'),
    default: '',
    help: 'Send the requests of this access log (JSON lines, or the combined format; - is standard input) in place of those that the Ingresses suggest.',
    group: 'compare',
  },
  host: {
    type: text('NAME'),
    default: '',
    help: 'Host of logged requests whose log does not say it.',
    group: 'compare',
  },
  count: {
    type: integer(1, 1_000_000),
    default: '1000',
    help: 'Requests that are sent at most.',
    group: 'compare',
  },
  concurrency: {
    type: integer(1, 256),
    default: '4',
    help: 'Requests at once to each controller.',
    group: 'compare',
  },
  'request-timeout': {
    type: duration,
    default: '10s',
    help: 'How long one answer may take.',
    group: 'compare',
  },
  'compare-header': {
    type: listOf(fieldName),
    default: '',
    help: 'Header field of answers that must be equal, in place of the usual ones; may be given more than once.',
    group: 'compare',
  },
  echo: {
    type: bool,
    default: 'false',
    help: 'The endpoints echo requests: compare what they saw, too.',
    group: 'compare',
  },
  ignore: {
    type: listOf(text('NAME')),
    default: '',
    help: 'Name in an echo that does not count; may be given more than once.',
    group: 'compare',
  },
  unsafe: {
    type: bool,
    default: 'false',
    help: 'Send logged requests of other methods than GET, HEAD and OPTIONS as well, without a body.',
    group: 'compare',
  },
} as const

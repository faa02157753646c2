import { fieldName } from '#src/annotations/names.ts'
import { annotationTable } from '#src/annotations/schema.ts'
import type { SettingText, ReportField, ValuesOf } from '#src/annotations/schema.ts'
import { bool, integer, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { patternProblem } from '#algorithms/match/linear-pattern.ts'
import type { Canary } from '#src/table/table.ts'

const weightMax = 2 ** 31 - 1

/** Printable text as the value of a header field may hold it. */
const fieldValue: ValueType<string> = {
  expects: 'the value of a header field',
  schema: { pattern: '^[\\t -~]*$' },
  // oxlint-disable-next-line no-control-regex -- a tab may stand in a field value
  parse: (text) => (/^[\t -~\u0080-\u{10ffff}]*$/u.test(text) ? text : undefined),
  format: (text) => text,
}

const cookieName: ValueType<string> = {
  expects: 'the name of a cookie',
  schema: { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" },
  parse: (text) => fieldName.parse(text),
  format: (name) => name,
}

/** A part of the name of a cookie. */
const groupName: ValueType<string> = {
  expects: 'a name of letters, digits, - and _, of at most 63 characters',
  schema: { pattern: '^[-_A-Za-z0-9]{1,63}$' },
  parse: (text) => (/^[-_A-Za-z0-9]{1,63}$/.test(text) ? text : undefined),
  format: (name) => name,
}

/** A second set of endpoints beside a route that another Ingress has. */
export const canaryAnnotations = annotationTable({
  canary: {
    type: bool,
    default: false,
    doc: 'The Ingress is an alternative for routes that another Ingress has for the same host, path and path type.',
    example: 'true',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
  },
  'canary-by-header': {
    type: fieldName,
    default: '',
    doc: 'A header field that chooses: always the canary, never the primary; any other value lets cookie and weight decide.',
    example: 'X-Canary',
    risk: 'medium',
    scope: 'path',
    compatibility: 'same',
  },
  'canary-by-header-value': {
    type: fieldValue,
    default: '',
    doc: 'The value of that field that chooses the canary, in place of always and never.',
    example: 'beta',
    risk: 'medium',
    scope: 'path',
    compatibility: 'same',
  },
  'canary-by-header-pattern': {
    type: fieldValue,
    default: '',
    doc: 'A regular expression for values of that field that choose the canary; canary-by-header-value wins over it. One that cannot be read sends requests with the field to the primary.',
    example: '^(?:alpha|beta)$',
    risk: 'medium',
    scope: 'path',
    compatibility: 'same',
  },
  'canary-by-cookie': {
    type: cookieName,
    default: '',
    doc: 'A cookie that chooses: always the canary, never the primary; any other value lets the weight decide.',
    example: 'canary',
    risk: 'medium',
    scope: 'path',
    compatibility: 'same',
  },
  'canary-weight': {
    type: integer(0, weightMax),
    default: 0,
    doc: 'The share of the other requests that goes to the canary, of canary-weight-total.',
    example: '20',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
  },
  'canary-weight-total': {
    type: integer(1, weightMax),
    default: 100,
    doc: 'What canary-weight is a share of. Less than 100 counts as 100.',
    example: '1000',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
  },
  'canary-group': {
    type: groupName,
    default: '',
    doc: 'On a canary. Canaries of one group may stand beside the same route, any number of them. Clients keep to the side that they were given, by a cookie, so that weights are shares of clients.',
    example: 'checkout',
    risk: 'low',
    scope: 'path',
    compatibility: 'own',
  },
  'affinity-canary-behavior': {
    type: oneOf(['sticky', 'legacy']),
    default: 'sticky',
    doc: 'On a canary. sticky: with session affinity, users stay with the side that served them first; legacy: the canary sets no cookie.',
    example: 'legacy',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
  },
})

export type CanaryValues = ValuesOf<typeof canaryAnnotations>

/** How an Ingress takes part as a canary. */
export interface CanaryUse {
  readonly choice: Canary
  /** Of `total`. */
  readonly weight: number
  readonly total: number
  /** It takes over the session affinity of the primary. */
  readonly sticky: boolean
  /** Canaries of one group share a route; '' : it is the only one. */
  readonly group: string
}

/** What the values ask for; undefined: the Ingress is no canary. Says what has no effect. */
export function canaryOf(
  values: CanaryValues,
  texts: ReadonlyMap<string, SettingText>,
  report: ReportField,
): CanaryUse | undefined {
  if (!values.canary) {
    reportIdle(texts, report)
    return undefined
  }
  const header = values['canary-by-header'].toLowerCase()
  const pattern = values['canary-by-header-value'] === '' ? values['canary-by-header-pattern'] : ''
  const problem = patternProblem(pattern)
  if (problem !== undefined) {
    const key = texts.get('canary-by-header-pattern')?.key ?? ''
    report('annotation-invalid', key, `${problem}; requests with the field go to the primary`)
  }
  const total = Math.max(100, values['canary-weight-total'])
  return {
    choice: {
      header,
      value: values['canary-by-header-value'],
      pattern: problem === undefined ? pattern : '',
      broken: problem !== undefined,
      cookie: values['canary-by-cookie'],
    },
    weight: Math.min(total, values['canary-weight']),
    total,
    sticky: values['affinity-canary-behavior'] === 'sticky',
    group: values['canary-group'],
  }
}

function reportIdle(texts: ReadonlyMap<string, SettingText>, report: ReportField): void {
  for (const name of Object.keys(canaryAnnotations)) {
    const written = texts.get(name)
    if (written === undefined || !name.startsWith('canary-')) continue
    report('annotation-unused', written.key, 'has an effect only beside canary: "true"')
  }
}

import { defaultPenaltyMs } from '#algorithms/balance/load/latency.ts'
import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { duration } from '#src/annotations/quantities.ts'
import { requestTarget } from '#src/annotations/names.ts'
import { integer } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import type { Balance } from '#src/table/table.ts'

/** Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads": c of 1.25 moves few keys. */
const defaultBound = 1.25
const boundMax = 100

/** How far the load of an endpoint may exceed the mean: a factor above 1, or none at all. */
const boundFactor: ValueType<number> = {
  expects: `a number from 1 to ${boundMax}, or off`,
  schema: { pattern: '^(?:off|\\d+(?:\\.\\d+)?)$' },
  parse(text) {
    if (text === 'off') return Infinity
    const factor = /^\d{1,3}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
    return factor >= 1 && factor <= boundMax ? factor : undefined
  },
  format: (factor) => (factor === Infinity ? 'off' : String(factor)),
}

const defaultDecayMs = 10_000
const linear = 1
/** Each algorithm has a number of its own. */
const ownChoices = 0

/** Prequal's rate; below one probe a request its results go stale. */
const defaultProbes = 3

/** A decimal number in a range, both ends included. */
function decimal(min: number, max: number): ValueType<number> {
  return {
    expects: `a number from ${min} to ${max}`,
    schema: { pattern: '^\\d+(?:\\.\\d+)?$' },
    parse(text) {
      const value = /^\d{1,3}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    },
    format: String,
  }
}

const ofService = {
  risk: 'low',
  scope: 'service',
  compatibility: 'own',
  on: ['Ingress', 'Service'],
} as const

/** Parameters of balancing algorithms. An algorithm that does not know one ignores it. */
export const balanceParameters = annotationTable({
  'load-balance-bound': {
    type: boundFactor,
    default: defaultBound,
    doc: 'Hashing algorithms: no endpoint gets more than this multiple of the mean load; what is too much goes to the next endpoint of its key. upstream-hash-by alone has no bound.',
    example: '1.5',
    ...ofService,
  },
  'load-balance-slow-start': {
    type: duration,
    default: 0,
    doc: 'A new endpoint gets its share of the requests little by little over this time.',
    example: '30s',
    ...ofService,
  },
  'load-balance-slow-start-aggression': {
    type: decimal(0.1, 10),
    default: linear,
    doc: 'With load-balance-slow-start: above 1 the share rises steeply at first, below 1 late.',
    example: '1.5',
    ...ofService,
  },
  'load-balance-penalty': {
    type: duration,
    default: defaultPenaltyMs,
    doc: 'Algorithms that measure latency: what an answer of an overloaded endpoint (429, 503) counts as, at least.',
    example: '2s',
    ...ofService,
  },
  'load-balance-decay': {
    type: duration,
    default: defaultDecayMs,
    doc: 'Algorithms that measure latency: how long a measurement counts.',
    example: '5s',
    ...ofService,
  },
  'load-balance-choices': {
    type: integer(0, 16),
    default: ownChoices,
    doc: 'Algorithms that draw endpoints at random: how many they compare. 0: as many as the algorithm does by itself, 3 for hot-cold and 2 for the others.',
    example: '3',
    ...ofService,
  },
  'load-balance-probe-path': {
    type: requestTarget,
    default: '',
    doc: 'Algorithm prequal: where endpoints are asked for their load, by GET requests whose answers carry a load report (ORCA). Without it the reports in ordinary answers count.',
    example: '/load',
    ...ofService,
  },
  'load-balance-probes': {
    // A fraction means one every few requests.
    type: decimal(0.01, 16),
    default: defaultProbes,
    doc: 'Algorithm prequal with a probe path: how many probes are sent for each request.',
    example: '1.5',
    ...ofService,
  },
})

export type BalanceParameters = ValuesOf<typeof balanceParameters>

/** How endpoints are asked for their load, by algorithms that send probes. */
export function probesOf(values: BalanceParameters): Pick<Balance, 'options' | 'probePath'> {
  const probePath = values['load-balance-probe-path']
  if (probePath === '') return { options: { probesPerRequest: 0 } }
  const probesPerRequest = values['load-balance-probes']
  return {
    options: probesPerRequest === defaultProbes ? {} : { probesPerRequest },
    probePath,
  }
}

/** The options that differ from what algorithms do by themselves. */
export function parameterOptions(values: BalanceParameters): Balance['options'] {
  const bound = values['load-balance-bound']
  const slowStartMs = values['load-balance-slow-start']
  const decayMs = values['load-balance-decay']
  const penaltyMs = values['load-balance-penalty']
  const aggression = values['load-balance-slow-start-aggression']
  const choices = values['load-balance-choices']
  return {
    ...(bound !== defaultBound && { boundFactor: bound }),
    ...(slowStartMs > 0 && { slowStartMs }),
    ...(slowStartMs > 0 && aggression !== linear && { slowStartAggression: aggression }),
    ...(penaltyMs !== defaultPenaltyMs && { penaltyMs }),
    ...(decayMs !== defaultDecayMs && { decayMs }),
    ...(choices !== ownChoices && { choices }),
  }
}

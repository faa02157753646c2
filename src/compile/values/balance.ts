import { algorithms, aliases } from '#algorithms/balance/index.ts'
import type { AlgorithmName } from '#algorithms/balance/index.ts'
import { defaultSubsetSize } from '#algorithms/balance/keyed/subset-hash.ts'
import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { bool, integer } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import type { Balance } from '#src/table/table.ts'
import { balanceParameters, parameterOptions, probesOf } from './balance-parameters.ts'
import { hashKey } from './hash-key.ts'

const names = Object.keys(algorithms) as AlgorithmName[]
const byFoldedName = new Map<string, AlgorithmName>([
  ...Object.entries(aliases).map(([alias, name]) => [alias.toLowerCase(), name] as const),
  ...names.map((name) => [name, name] as const),
])

/** A name of the registry, or another product's name for one, in any case. */
export const algorithmName: ValueType<AlgorithmName> = {
  expects: `one of ${names.join(', ')}`,
  schema: { enum: [...names, ...Object.keys(aliases)] },
  parse: (text) => byFoldedName.get(text.toLowerCase()),
  format: (name) => name,
}

/** How endpoints are chosen. On an Ingress for its routes, on a Service for every route to it. */
export const balanceAnnotations = annotationTable({
  'load-balance': {
    type: algorithmName,
    default: 'round-robin',
    doc: 'How an endpoint is chosen. An Ingress that sets it wins over its Service, and both over the ConfigMap.',
    example: 'peak-ewma',
    risk: 'low',
    scope: 'service',
    compatibility: 'same',
    option: true,
    on: ['Ingress', 'Service'],
  },
  'upstream-hash-by': {
    type: hashKey,
    default: [],
    doc: 'Requests with the same key go to the same endpoint. Wins over load-balance unless that names an algorithm with a key.',
    example: '$request_uri',
    risk: 'high',
    scope: 'service',
    compatibility: 'same',
    on: ['Ingress', 'Service'],
  },
  'upstream-hash-by-subset': {
    type: bool,
    default: false,
    doc: 'With upstream-hash-by: the key chooses a group of endpoints, and chance one of the group.',
    example: 'true',
    risk: 'low',
    scope: 'service',
    compatibility: 'same',
    on: ['Ingress', 'Service'],
  },
  'upstream-hash-by-subset-size': {
    type: integer(1, 1000),
    default: defaultSubsetSize,
    doc: 'Endpoints in a group.',
    example: '5',
    risk: 'low',
    scope: 'service',
    compatibility: 'same',
    on: ['Ingress', 'Service'],
  },
  ...balanceParameters,
})

export type BalanceValues = ValuesOf<typeof balanceAnnotations>

/** What the table says about choosing endpoints, given what was asked for. */
export function balanceOf(values: BalanceValues): Balance {
  const key = values['upstream-hash-by']
  const algorithm = algorithmOf(values)
  const parameters = parameterOptions(values)
  if (algorithm === 'prequal') {
    const { options, ...probing } = probesOf(values)
    return { algorithm, options: { ...parameters, ...options }, hashKey: [], ...probing }
  }
  if (!algorithms[algorithm].keyed) return { algorithm, options: parameters, hashKey: [] }
  return {
    algorithm,
    options: { ...optionsOf(values, algorithm), ...parameters },
    // Without a key of the user's, a client stays where it is.
    hashKey: key.length > 0 ? key : [{ variable: 'remote_addr' }],
  }
}

/** A key beats an algorithm that reads none. */
function algorithmOf(values: BalanceValues): AlgorithmName {
  const wanted = values['load-balance']
  if (values['upstream-hash-by'].length === 0) return wanted
  if (values['upstream-hash-by-subset']) return 'subset-hash'
  return algorithms[wanted].keyed ? wanted : 'consistent-hash'
}

function optionsOf(values: BalanceValues, algorithm: AlgorithmName): Balance['options'] {
  if (algorithm === 'subset-hash') return { subsetSize: values['upstream-hash-by-subset-size'] }
  // In ingress-nginx a key never spills over to another endpoint, however busy its own is.
  return algorithm === values['load-balance'] ? {} : { boundFactor: Infinity }
}

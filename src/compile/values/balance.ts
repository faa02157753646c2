import { algorithms, aliases } from '#algorithms/balance/index.ts'
import type { AlgorithmName } from '#algorithms/balance/index.ts'
import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import type { ValueType } from '#src/annotations/types.ts'
import type { Balance } from '#src/table/table.ts'
import { hashKey } from './hash-key.ts'

const names = Object.keys(algorithms) as AlgorithmName[]

/** A name of the registry, or another product's name for one, in any case. */
export const algorithmName: ValueType<AlgorithmName> = {
  expects: `one of ${names.join(', ')}`,
  schema: { enum: [...names, ...Object.keys(aliases)] },
  parse(text) {
    const name = text.toLowerCase()
    const exact = names.find((known) => known === name)
    return exact ?? (Object.hasOwn(aliases, name) ? aliases[name] : undefined)
  },
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
})

export type BalanceValues = ValuesOf<typeof balanceAnnotations>

/** What the table says about choosing endpoints, given what was asked for. */
export function balanceOf(values: BalanceValues): Balance {
  const wanted = values['load-balance']
  const key = values['upstream-hash-by']
  if (algorithms[wanted].keyed) {
    // A key is needed; without one of the user's, a client stays where it is.
    return {
      algorithm: wanted,
      options: {},
      hashKey: key.length > 0 ? key : [{ variable: 'remote_addr' }],
    }
  }
  if (key.length === 0) return { algorithm: wanted, options: {}, hashKey: [] }
  return { algorithm: 'consistent-hash' satisfies AlgorithmName, options: {}, hashKey: key }
}

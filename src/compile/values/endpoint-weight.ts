import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { integer } from '#src/annotations/types.ts'

/** What a whole EndpointSlice says about its endpoints. */
export const endpointAnnotations = annotationTable({
  weight: {
    type: integer(0, 1000),
    default: 1,
    doc: 'Relative capacity of every endpoint in the slice, for algorithms that weigh. 0 takes them out.',
    example: '3',
    risk: 'low',
    scope: 'service',
    compatibility: 'own',
    on: ['EndpointSlice'],
  },
})

export type EndpointValues = ValuesOf<typeof endpointAnnotations>

import { hostname, isHostPattern } from '#src/annotations/names.ts'
import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { bool, listOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'

const hostPattern: ValueType<string> = {
  expects: 'a DNS name such as shop.example.com, or *. and a DNS name',
  schema: { pattern: '^(?:\\*\\.)?[-.A-Za-z0-9]+$' },
  parse: (text) => (isHostPattern(text.toLowerCase()) ? text.toLowerCase() : undefined),
  format: (host) => host,
}

/** Under which names a route is found, and where its requests go. */
export const routingAnnotations = annotationTable({
  'server-alias': {
    type: listOf(hostPattern),
    default: [],
    doc: 'More names for the hosts of the Ingress. A name that has rules of its own is left alone.',
    example: 'www.example.com,example.org',
    risk: 'high',
    scope: 'host',
    compatibility: 'same',
  },
  'service-upstream': {
    type: bool,
    default: false,
    doc: 'Sends requests to the cluster address of the Service instead of its endpoints. Has no effect for Services without one.',
    example: 'true',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'default-backend': {
    type: hostname,
    default: '',
    doc: 'A Service of the same namespace whose first port is asked while the real one has no endpoints.',
    example: 'sorry-page',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
  },
})

export type RoutingValues = ValuesOf<typeof routingAnnotations>

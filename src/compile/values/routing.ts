import { hostname, isHostPattern } from '#src/annotations/names.ts'
import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { bool, integer, listOf, oneOf } from '#src/annotations/types.ts'
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
  'regex-scope': {
    type: oneOf(['host', 'path']),
    default: 'host',
    doc: 'How far use-regex and rewrite-target reach: host, as in ingress-nginx, makes every path of the host a regular expression. With path the Ingress makes none of others, and others make none of its own.',
    example: 'path',
    risk: 'low',
    scope: 'host',
    compatibility: 'own',
    option: true,
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
  'active-service': {
    type: hostname,
    default: '',
    doc: 'Blue/green: the Service of the same namespace that requests go to in place of the one in the rule. A change is one step for all routes, the way back too. Not followed to a Service without the port or without a ready endpoint.',
    example: 'web-green',
    risk: 'low',
    scope: 'path',
    compatibility: 'own',
    on: ['Ingress', 'Service'],
  },
  'default-backend': {
    type: hostname,
    default: '',
    doc: 'A Service of the same namespace whose first port is asked while the real one has no endpoints, and for error pages.',
    example: 'sorry-page',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
  },
  'custom-http-errors': {
    type: listOf(integer(400, 599)),
    default: [],
    doc: 'Answers with these statuses are replaced by a page of default-backend, else of --default-backend-service, else by a 404. A page is asked for with GET and without a body, where ingress-nginx sends method and body of the request, and is told what upstreams are of the client.',
    example: '404,502,503',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
  'disable-proxy-intercept-errors': {
    type: bool,
    default: false,
    doc: 'Passes the answers of upstreams on whatever custom-http-errors says, so that it holds for answers of our own alone.',
    example: 'true',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    option: true,
  },
})

export type RoutingValues = ValuesOf<typeof routingAnnotations>

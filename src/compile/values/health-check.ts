import { requestTarget } from '#src/annotations/names.ts'
import { duration } from '#src/annotations/quantities.ts'
import { annotationTable, complete } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { integer, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import type { HealthCheck } from '#src/table/table.ts'

const ofService = {
  risk: 'low',
  scope: 'service',
  compatibility: 'own',
  on: ['Service'],
} as const

const second = 1000

/** A time in a range, both ends included. */
function durationBetween(minMs: number, maxMs: number): ValueType<number> {
  return {
    ...duration,
    expects: `a time from ${minMs}ms to ${maxMs / second}s, in seconds or with a unit`,
    parse(text) {
      const value = duration.parse(text)
      return value !== undefined && value >= minMs && value <= maxMs ? value : undefined
    },
  }
}

/** A fully qualified name of a gRPC service. */
const grpcService: ValueType<string> = {
  expects: 'the full name of a gRPC service, such as shop.v1.Cart',
  schema: { pattern: '^[A-Za-z_][A-Za-z0-9_.]*$' },
  parse: (text) => (/^[A-Za-z_][A-Za-z0-9_.]{0,254}$/.test(text) ? text : undefined),
  format: (text) => text,
}

/** Requests of our own that find out whether endpoints work. */
export const healthAnnotations = annotationTable({
  'health-check': {
    type: oneOf(['off', 'http', 'grpc']),
    default: 'off',
    doc: 'Asks every endpoint whether it works, beside the readiness of Kubernetes: by GET, or by grpc.health.v1.Health/Check. One that does not gets no requests.',
    example: 'grpc',
    ...ofService,
  },
  'health-check-path': {
    type: requestTarget,
    default: '/',
    doc: 'Health check http: what is asked for. Statuses from 200 to 399 are good.',
    example: '/healthz',
    ...ofService,
  },
  'health-check-service': {
    type: grpcService,
    default: '',
    doc: 'Health check grpc: the service whose health is asked for; without it that of the whole server.',
    example: 'shop.v1.Cart',
    ...ofService,
  },
  'health-check-interval': {
    // A check must not become the load that it watches for.
    type: durationBetween(second, 86_400 * second),
    default: 10 * second,
    doc: 'Time from one check of an endpoint to the next, by all workers together.',
    example: '5s',
    ...ofService,
  },
  'health-check-timeout': {
    type: durationBetween(10, 3600 * second),
    default: second,
    doc: 'An answer that takes longer is a failure.',
    example: '3s',
    ...ofService,
  },
  'health-check-failures': {
    type: integer(1, 100),
    default: 3,
    doc: 'Failures in a row after which an endpoint gets no more requests.',
    example: '2',
    ...ofService,
  },
  'health-check-successes': {
    type: integer(1, 100),
    default: 2,
    doc: 'Good answers in a row after which it gets requests again.',
    example: '1',
    ...ofService,
  },
})

export type HealthValues = ValuesOf<typeof healthAnnotations>

/** The health check that values describe, or undefined for none. */
export function healthCheckOf(given: Partial<HealthValues>): HealthCheck | undefined {
  const values = complete<HealthValues>(healthAnnotations, given)
  const kind = values['health-check']
  if (kind === 'off') return undefined
  return {
    kind,
    path: kind === 'http' ? values['health-check-path'] : '',
    service: kind === 'grpc' ? values['health-check-service'] : '',
    intervalMs: values['health-check-interval'],
    timeoutMs: values['health-check-timeout'],
    failures: values['health-check-failures'],
    successes: values['health-check-successes'],
  }
}

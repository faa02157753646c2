import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { oneOf } from '#src/annotations/types.ts'
import type { WeightedBackend } from '#src/table/table.ts'

const notYet = 'this protocol is not supported yet; HTTP is spoken instead'

/** What is spoken with the endpoints. */
export const protocolAnnotations = annotationTable({
  'backend-protocol': {
    type: oneOf(['HTTP', 'HTTPS']),
    default: 'HTTP',
    doc: 'What is spoken with the endpoints. HTTPS does not verify their certificates.',
    example: 'HTTPS',
    risk: 'low',
    scope: 'path',
    compatibility: 'same',
    refused: { grpc: notYet, grpcs: notYet, auto_http: notYet, fcgi: notYet },
  },
})

export type ProtocolValues = ValuesOf<typeof protocolAnnotations>

/** TLS towards endpoints as ingress-nginx does it by default: no SNI, no verification. */
const plainTls: NonNullable<WeightedBackend['tls']> = {
  serverName: '',
  verify: false,
  verifyDepth: 1,
  ca: '',
  certificate: '',
  key: '',
  ciphers: '',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  alpn: [],
}

/** The members of a weighted backend that the protocol decides. */
export function protocolOf(values: ProtocolValues): Pick<WeightedBackend, 'protocol' | 'tls'> {
  return {
    protocol: 'http1',
    tls: values['backend-protocol'] === 'HTTPS' ? plainTls : undefined,
  }
}

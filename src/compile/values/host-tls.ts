import { cipherSuites } from '#src/annotations/cipher-suites.ts'
import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { bool } from '#src/annotations/types.ts'

/** How clients of a host come in over TLS. The oldest Ingress of the host that says something decides. */
export const hostTlsAnnotations = annotationTable({
  'ssl-ciphers': {
    type: cipherSuites,
    default: [] as readonly string[],
    doc: 'Suites of TLS 1.2 for the whole host; those of TLS 1.3 are always offered. Only suites that are forward secret and authenticated can be chosen.',
    example: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384',
    risk: 'low',
    scope: 'host',
    compatibility: 'same',
  },
  'ssl-passthrough': {
    type: bool,
    default: false,
    doc: 'TLS of the host ends at the endpoints of the Service of path /, untouched; needs --enable-ssl-passthrough. Nothing else that annotations say holds for it.',
    example: 'true',
    risk: 'low',
    scope: 'host',
    compatibility: 'same',
  },
  'ssl-prefer-server-ciphers': {
    type: bool,
    default: true,
    doc: "Whether the order of the suites here counts, for the whole host, or the client's.",
    example: 'false',
    risk: 'low',
    scope: 'host',
    compatibility: 'same',
  },
})

export type HostTlsValues = ValuesOf<typeof hostTlsAnnotations>

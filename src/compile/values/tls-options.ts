import { cipherSuites } from '#src/annotations/cipher-suites.ts'
import { optionTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { tlsVersions } from '#src/annotations/tls-versions.ts'
import { bool, integer } from '#src/annotations/types.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'

const defaults = defaultGlobalOptions

/** Keys of the ConfigMap about TLS with clients. */
export const tlsOptions = optionTable({
  'ssl-ciphers': {
    type: cipherSuites,
    default: [] as readonly string[],
    doc: 'Suites of TLS 1.2 for clients; those of TLS 1.3 are always offered. Only suites that are forward secret and authenticated can be chosen.',
    example: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    compatibility: 'same',
  },
  'ssl-protocols': {
    type: tlsVersions,
    default: defaults.tlsVersions,
    doc: 'Versions of TLS that clients may speak.',
    example: 'TLSv1.3',
    compatibility: 'same',
  },
  'ssl-reject-handshake': {
    type: bool,
    default: defaults.tlsRejectUnknown,
    doc: 'Refuses TLS to clients that ask for no host of ours, in place of showing them the default certificate.',
    example: 'true',
    compatibility: 'same',
  },
  hsts: {
    type: bool,
    default: true,
    doc: 'Adds Strict-Transport-Security to answers over https, refusals among them, in place of what the upstream sent.',
    example: 'false',
    compatibility: 'same',
  },
  'hsts-max-age': {
    type: integer(0, 10_000_000_000),
    default: 31_536_000,
    doc: 'Seconds for which browsers keep to https.',
    example: '86400',
    compatibility: 'same',
  },
  'hsts-include-subdomains': {
    type: bool,
    default: true,
    doc: 'Whether Strict-Transport-Security holds for the names below the host, too.',
    example: 'false',
    compatibility: 'same',
  },
  'hsts-preload': {
    type: bool,
    default: false,
    doc: 'Whether browser makers may take the host into their lists.',
    example: 'true',
    compatibility: 'same',
  },
})

/** The field value of RFC 6797 6.1, '' when it is off. */
export function strictTransportSecurity(values: ValuesOf<typeof tlsOptions>): string {
  if (!values.hsts) return ''
  const subdomains = values['hsts-include-subdomains'] ? '; includeSubDomains' : ''
  return `max-age=${values['hsts-max-age']}${subdomains}${values['hsts-preload'] ? '; preload' : ''}`
}

import type { Fields } from '#src/exchange/fields.ts'

const claim = 'ssl-client-'

/**
 * Takes out what a client says about its own certificate, however the names are spelt: where upstreams
 * believe these fields, only the proxy may set them.
 */
export function dropCertificateClaims(fields: Fields): void {
  for (let i = 0; i < fields.size; i++) {
    if (fields.idAt(i) === 0 && fields.nameBegins(i, claim)) fields.removeAt(i)
  }
}

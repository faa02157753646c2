import { X509Certificate } from 'node:crypto'
import { BoundedMap } from './bounded-map.ts'

/** Thousands of certificates come with the same few issuers behind them. By their PEM. */
const issuers = new BoundedMap<string, X509Certificate>(256)
/** Issuer of an issuer, where its signature was found right; neither ever changes. */
const verified = new WeakMap<X509Certificate, X509Certificate>()
/** A longer one is read each time: what is kept stays small. */
const charactersMax = 8192

/** Reads what stands behind the first certificate of a chain. Throws what `X509Certificate` throws. */
export function readIssuer(pem: string): X509Certificate {
  const known = issuers.get(pem)
  if (known !== undefined) return known
  const issuer = new X509Certificate(pem)
  if (pem.length <= charactersMax) issuers.set(pem, issuer)
  return issuer
}

/** Whether the name and the signature are those of the issuer. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (verified.get(certificate) === issuer) return true
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false
  if (issuers.get(certificate.toString()) === certificate) verified.set(certificate, issuer)
  return true
}

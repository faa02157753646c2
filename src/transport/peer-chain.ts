import { X509Certificate, createHash } from 'node:crypto'
import type { DetailedPeerCertificate } from 'node:tls'
import type { ClientCertificate } from '#src/exchange/streams.ts'

/** Longer chains than any that is verified; keeps a loop of issuers from running on. */
const chainMax = 100

/** CA certificates between a leaf and the root of its chain: 0 when the root itself signed it. */
export function chainDepth(leaf: DetailedPeerCertificate): number {
  let length = 1
  let certificate = leaf
  while (length < chainMax) {
    const issuer = certificate.issuerCertificate as DetailedPeerCertificate | undefined
    if (issuer === undefined || issuer.fingerprint256 === certificate.fingerprint256) break
    certificate = issuer
    length++
  }
  return Math.max(0, length - 2)
}

/** OpenSSL's words for a failed verification, '' for none. Node adds advice to some of them. */
export function verificationError(error: Error | null | undefined): string {
  return error?.message.split(';')[0] ?? ''
}

/** What policies and headers may know of a client's certificate. `error`: '' for a good one. */
export function describeClient(leaf: DetailedPeerCertificate, error: string): ClientCertificate {
  const certificate = new X509Certificate(leaf.raw)
  return {
    error,
    depth: chainDepth(leaf),
    pem: certificate.toString(),
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    serialNumber: certificate.serialNumber,
    sha1: createHash('sha1').update(leaf.raw).digest('hex'),
    sha256: createHash('sha256').update(leaf.raw).digest('hex'),
  }
}

/**
 * RFC 2253: last part first, parts separated by commas, bytes of other scripts as `\XX`. Node gives
 * one part a line, in the order of the certificate, with the special characters escaped.
 */
export function distinguishedName(lines: string | undefined): string {
  if (lines === undefined) return ''
  const parts = lines.split('\n').filter((part) => part !== '')
  return parts.toReversed().map(escapeOtherScripts).join(',')
}

function escapeOtherScripts(part: string): string {
  let escaped = ''
  for (const byte of Buffer.from(part, 'utf8')) {
    escaped += byte < 0x80 ? String.fromCodePoint(byte) : `\\${byte.toString(16).toUpperCase()}`
  }
  return escaped
}

import { createHash } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { readCertificates } from './certificate.ts'
import { Unreadable, pemBlocks } from './pem.ts'

/** CA certificates and revocation lists that can be used, or the first reason why not. */
export type AuthoritiesReading =
  | {
      readonly ok: true
      /** PEM. */
      readonly caPem: string
      /** PEM; '' where none were given. */
      readonly crlPem: string
      /** SHA-256 of both, hexadecimal. */
      readonly fingerprint: string
    }
  | { readonly ok: false; readonly error: string }

const authoritiesMax = 1024
const listsMax = 128

/**
 * Reads the CA certificates that client certificates are checked against, e.g. `ca.crt` of a Secret, and
 * the revocation lists beside them (`ca.crl`; '' for none). OpenSSL has the last word on both.
 */
export function readAuthorities(ca: string, crl: string): AuthoritiesReading {
  try {
    const caPem = readCertificates(ca, authoritiesMax).map(String).join('')
    const crlPem = crl.trim() === '' ? '' : readLists(crl)
    tryOut(caPem, crlPem)
    return {
      ok: true,
      caPem,
      crlPem,
      fingerprint: createHash('sha256').update(`${caPem}\n${crlPem}`).digest('hex'),
    }
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, error: error.message }
    throw error
  }
}

function readLists(pem: string): string {
  const blocks = pemBlocks(pem, 'revocation list')
  if (blocks.length === 0) throw new Unreadable('the revocation list has no PEM block X509 CRL')
  if (blocks.length > listsMax) {
    throw new Unreadable(`there are ${blocks.length} revocation lists, more than ${listsMax}`)
  }
  const other = blocks.find(({ label }) => label !== 'X509 CRL')
  if (other !== undefined) {
    throw new Unreadable(
      `the revocation list has a PEM block ${other.label}, where only X509 CRL may be`,
    )
  }
  return blocks.map(({ text }) => text).join('')
}

function tryOut(ca: string, crl: string): void {
  try {
    createSecureContext({ ca })
    // One by one: a context reads the first list of a text and no other.
    if (crl !== '') createSecureContext({ ca, crl: splitLists(crl) })
  } catch (error) {
    const { reason, message } = error as { readonly reason?: string; readonly message: string }
    throw new Unreadable(
      `the CA certificates or revocation lists cannot be used: ${reason ?? message}`,
    )
  }
}

/** Each list by itself, as a TLS context takes them. */
export function splitLists(crlPem: string): string[] {
  return crlPem === '' ? [] : pemBlocks(crlPem, 'revocation list').map(({ text }) => text)
}

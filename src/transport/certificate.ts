import { X509Certificate, createPrivateKey, hash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIssuedBy, readIssuer } from './issuers.ts'
import { Unreadable, pemBlocks } from './pem.ts'
import { tryOut } from './try-out.ts'

/** A certificate that can be served, or the first reason why not. Errors never show key material. */
export type CertificateReading =
  | {
      readonly ok: true
      /** Leaf first, each certificate followed by its issuer where that is known; PEM. */
      readonly certificatePem: string
      /** PKCS #8, PEM. */
      readonly keyPem: string
      /** DNS names and addresses that the leaf covers, in lower case; the common name where it names none. */
      readonly names: readonly string[]
      readonly notBeforeMs: number
      readonly notAfterMs: number
      /** SHA-256 of the chain, hexadecimal. */
      readonly fingerprint: string
      /** What was put right. */
      readonly warnings: readonly string[]
    }
  | { readonly ok: false; readonly error: string }

const certificatesMax = 32

/**
 * Reads a certificate with its chain and the private key for it. PEM as of RFC 7468: text around the
 * blocks and any line ends are allowed. A chain in the wrong order is put in order. Dates are reported, not judged.
 */
export function readCertificate(certificatePem: string, keyPem: string): CertificateReading {
  try {
    const { key, text } = readKey(keyPem)
    const given = readCertificates(certificatePem, certificatesMax)
    const warnings: string[] = []
    const chain = orderChain(given, key, warnings)
    const leaf = chain[0] as X509Certificate
    const pem = chain.map(String).join('')
    const pkcs8 = text ?? key.export({ type: 'pkcs8', format: 'pem' })
    tryOut({ chain, key, certificatePem: pem, keyPem: pkcs8 })
    return {
      ok: true,
      certificatePem: pem,
      keyPem: pkcs8,
      names: namesOf(leaf),
      notBeforeMs: leaf.validFromDate.getTime(),
      notAfterMs: leaf.validToDate.getTime(),
      fingerprint: hash('sha256', pem),
      warnings,
    }
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, error: error.message }
    throw error
  }
}

/** The certificates of a PEM text, at most `max`. Throws `Unreadable`. */
export function readCertificates(pem: string, max: number): X509Certificate[] {
  const blocks = pemBlocks(pem, 'certificate').filter(({ label }) => label.endsWith('CERTIFICATE'))
  if (blocks.length === 0) throw new Unreadable('the certificate has no PEM block CERTIFICATE')
  if (blocks.length > max) {
    throw new Unreadable(`the certificate has ${blocks.length} PEM blocks, more than ${max}`)
  }
  return blocks.map(({ text, line }, i) => {
    try {
      return i === 0 ? new X509Certificate(text) : readIssuer(text)
    } catch {
      throw new Unreadable(
        `the PEM block in line ${line} of the certificate is no X.509 certificate`,
      )
    }
  })
}

/** The key, and its PEM where that is PKCS #8 as it is. */
function readKey(pem: string): { readonly key: KeyObject; readonly text: string | undefined } {
  // Keys on curves have often a block EC PARAMETERS before them.
  const block = pemBlocks(pem, 'key').find(({ label }) => label.endsWith('PRIVATE KEY'))
  if (block === undefined) throw new Unreadable('the key has no PEM block PRIVATE KEY')
  if (block.label.startsWith('ENCRYPTED') || block.text.includes('\nProc-Type: 4,ENCRYPTED')) {
    throw new Unreadable('the key is encrypted with a password, which is not supported')
  }
  try {
    const key = createPrivateKey(block.text)
    return { key, text: block.label === 'PRIVATE KEY' ? block.text : undefined }
  } catch {
    throw new Unreadable(`the PEM block ${block.label} of the key is no private key`)
  }
}

function orderChain(
  given: readonly X509Certificate[],
  key: KeyObject,
  warnings: string[],
): X509Certificate[] {
  const leaf = given.find((certificate) => certificate.checkPrivateKey(key))
  if (leaf === undefined) throw new Unreadable('the key does not belong to the certificate')
  if (given.length === 1) return [leaf]
  const rest = new Map(given.map((certificate) => [certificate.fingerprint256, certificate]))
  rest.delete(leaf.fingerprint256)
  const chain = [leaf]
  let issuer = issuerOf(leaf, rest)
  while (issuer !== undefined) {
    chain.push(issuer)
    rest.delete(issuer.fingerprint256)
    issuer = issuerOf(issuer, rest)
  }
  // Cross-signed certificates among them: a client may need them.
  const ordered = [...chain, ...rest.values()]
  if (ordered.some((certificate, i) => certificate !== given[i])) {
    warnings.push('the certificates are not in order (leaf first, then each issuer)')
  }
  if (rest.size > 0) warnings.push(`${rest.size} certificate(s) do not belong to the chain`)
  return ordered
}

function issuerOf(
  certificate: X509Certificate,
  among: ReadonlyMap<string, X509Certificate>,
): X509Certificate | undefined {
  for (const candidate of among.values()) {
    if (isIssuedBy(certificate, candidate)) return candidate
  }
  return undefined
}

function namesOf(leaf: X509Certificate): string[] {
  const names = new Set<string>()
  for (const [kind, value] of alternativeNames(leaf.subjectAltName ?? '')) {
    if (kind === 'DNS' || kind === 'IP Address') names.add(value.toLowerCase())
  }
  if (leaf.subjectAltName === undefined) {
    const commonName = /^CN=(.*)$/m.exec(leaf.subject)?.[1]
    if (commonName !== undefined) names.add(commonName.toLowerCase())
  }
  return [...names].filter((name) => /^[!-~]+$/.test(name))
}

/** Node writes `DNS:a.example, IP Address:192.0.2.1`, and a value with special characters as a JSON string. */
function* alternativeNames(text: string): Generator<readonly [string, string]> {
  for (const [, kind = '', quoted, plain = ''] of text.matchAll(
    /([^:,]+):(?:("(?:[^"\\]|\\.)*")|([^,]*))(?:, |$)/g,
  )) {
    yield [kind, quoted === undefined ? plain : (JSON.parse(quoted) as string)]
  }
}

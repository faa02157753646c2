import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CrlGenerator,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { X509Certificate } from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A certificate with its key, able to sign others. */
export interface Issued {
  readonly certificate: X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
  readonly certificatePem: string
  readonly keyPem: string
}

export interface IssueOptions {
  readonly commonName: string
  /** DNS names; with `addresses` they make the SAN. */
  readonly names?: readonly string[]
  readonly addresses?: readonly string[]
  readonly ca?: boolean
  /** Undefined: signed by itself. */
  readonly issuer?: Issued
  readonly notAfter?: Date
  readonly organization?: string
}

/** A revocation list with these certificates on it, PEM. */
export async function revoke(issuer: Issued, revoked: readonly Issued[]): Promise<string> {
  const list = await X509CrlGenerator.create(
    {
      issuer: issuer.certificate.subjectName.toJSON(),
      thisUpdate: new Date(Date.now() - 86_400_000),
      nextUpdate: new Date(Date.now() + 864_000_000),
      entries: revoked.map(({ certificate }) => ({ serialNumber: certificate.serialNumber })),
      signingAlgorithm: algorithm,
      signingKey: issuer.keys.privateKey,
    },
    crypto,
  )
  return `${PemConverter.encode(list.rawData, 'X509 CRL')}\n`
}

let serial = 1

/** A fresh certificate for a test, valid from yesterday for ten days. */
export async function issue(options: IssueOptions): Promise<Issued> {
  const { commonName, names = [], addresses = [], ca = false, issuer, organization } = options
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const subject = [
    ...(organization === undefined ? [] : [{ O: [organization] }]),
    { CN: [commonName] },
  ]
  const alternatives = [
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...addresses.map((value) => ({ type: 'ip' as const, value })),
  ]
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: (serial++).toString(16).padStart(4, '0'),
      subject,
      issuer: issuer?.certificate.subjectName.toJSON() ?? subject,
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: options.notAfter ?? new Date(Date.now() + 864_000_000),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: (issuer?.keys ?? keys).privateKey,
      extensions: [
        new BasicConstraintsExtension(ca, undefined, true),
        ...(alternatives.length === 0 ? [] : [new SubjectAlternativeNameExtension(alternatives)]),
      ],
    },
    crypto,
  )
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificate,
    keys,
    certificatePem: certificate.toString('pem'),
    keyPem: PemConverter.encode(key, 'PRIVATE KEY'),
  }
}

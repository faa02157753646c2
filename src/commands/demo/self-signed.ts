import 'reflect-metadata'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'

/** A certificate and its key, PEM. */
export interface CertificateAndKey {
  readonly certificatePem: string
  readonly keyPem: string
}

const hourMs = 3_600_000
const validDays = 30

/** Makes a self-signed ECDSA P-256 certificate for DNS names, valid for 30 days from `nowMs`. */
export async function selfSigned(
  names: readonly string[],
  nowMs: number,
): Promise<CertificateAndKey> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${names[0] ?? ''}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(nowMs - hourMs),
    notAfter: new Date(nowMs + validDays * 24 * hourMs),
    extensions: [
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
    ],
  })
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  const lines = der.toString('base64').replace(/.{64}(?!$)/g, '$&\n')
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
  }
}

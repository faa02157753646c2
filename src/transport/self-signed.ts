import { createHash, generateKeyPair, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { bitString, der, integer, objectIdentifier, octetString, sequence, time } from './der.ts'

/** What a self-signed certificate says. */
export interface SelfSignedOptions {
  readonly commonName: string
  /** DNS names that it covers; empty: none. */
  readonly names: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Common name of the certificate for connections without SNI, or with one that nobody has claimed. */
export const defaultCertificateName = 'Headgate default certificate'

/** ecdsa-with-SHA256 (RFC 5758 3.2). */
const signatureAlgorithm = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
const keyUsageDigitalSignature = bitString(Buffer.of(0x80), 7)
const serverAuth = objectIdentifier('1.3.6.1.5.5.7.3.1')

/**
 * A new key (ECDSA P-256) and a certificate for it, signed by itself; both PEM. Made without a library:
 * every start needs one, and loading a library takes longer than all the rest of it.
 */
export async function createSelfSignedCertificate({
  commonName,
  names,
  notBefore,
  notAfter,
}: SelfSignedOptions): Promise<{ readonly certificatePem: string; readonly keyPem: string }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const name = nameOf(commonName)
  // RFC 5280 4.1.
  const signed = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(serialNumber()),
    signatureAlgorithm,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    spki,
    der(0xa3, sequence(...extensions(spki, names))),
  )
  const signature = bitString(sign('sha256', signed, privateKey))
  return {
    certificatePem: pem('CERTIFICATE', sequence(signed, signatureAlgorithm, signature)),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).trim(),
  }
}

/** A distinguished name of one attribute, the common name. */
function nameOf(commonName: string): Buffer {
  const attribute = sequence(objectIdentifier('2.5.4.3'), der(0x0c, Buffer.from(commonName)))
  return sequence(der(0x31, attribute))
}

/** That of a server's leaf (RFC 5280 4.2). */
function extensions(spki: Buffer, names: readonly string[]): Buffer[] {
  const list = [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', keyUsageDigitalSignature, true),
    extension('2.5.29.37', sequence(serverAuth)),
    extension('2.5.29.14', octetString(keyIdentifier(spki))),
  ]
  if (names.length === 0) return list
  const alternatives = names.map((name) => der(0x82, Buffer.from(name, 'latin1')))
  return [...list, extension('2.5.29.17', sequence(...alternatives))]
}

function extension(identifier: string, value: Buffer, critical = false): Buffer {
  const flag = critical ? [der(0x01, Buffer.of(0xff))] : []
  return sequence(objectIdentifier(identifier), ...flag, octetString(value))
}

/** SHA-1 of the key's bits (RFC 5280 4.2.1.2): an uncompressed point of P-256 ends the SPKI. */
function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha1').update(spki.subarray(-65)).digest()
}

/** Random and positive, 127 bits (RFC 5280 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return bytes
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n')
}

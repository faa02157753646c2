import { tupleKey } from '#src/table/keys.ts'
import type { Certificate, Listener, RouteTable } from '#src/table/table.ts'
import { readCertificate } from '#src/transport/certificate.ts'
import { createSelfSignedCertificate, defaultCertificateName } from '#src/transport/self-signed.ts'
import type { KeptCertificate } from '#src/workers/messages.ts'

const dayMs = 24 * 3_600_000
const validDays = 365
/** A new one is made when the old one is so near its end. */
const renewDays = 30

/** A new self-signed certificate for connections that nobody has named one for. */
export async function createDefaultCertificate(nowMs: number): Promise<KeptCertificate> {
  return await createSelfSignedCertificate({
    commonName: defaultCertificateName,
    names: [],
    // Clients whose clocks are late accept it, too.
    notBefore: new Date(nowMs - dayMs),
    notAfter: new Date(nowMs + validDays * dayMs),
  })
}

/** The part of the table for it; undefined when it has to be made anew. */
export function defaultCertificateOf(
  { certificatePem, keyPem }: KeptCertificate,
  nowMs: number,
): Certificate | undefined {
  const reading = readCertificate(certificatePem, keyPem)
  if (!reading.ok || reading.notAfterMs < nowMs + renewDays * dayMs) return undefined
  const { names, fingerprint, notAfterMs } = reading
  return {
    key: tupleKey('certificate', 'self-signed'),
    origin: { kind: 'Certificate', namespace: '', name: defaultCertificateName },
    certificatePem: reading.certificatePem,
    keyPem: reading.keyPem,
    names,
    fingerprint,
    notAfterMs,
  }
}

/** The table with the certificate on every TLS listener that has none by default. */
export function withDefaultCertificate(table: RouteTable, certificate: Certificate): RouteTable {
  const listeners = new Map<string, Listener>()
  let used = false
  for (const [key, listener] of table.listeners) {
    const lacks = listener.protocol === 'https' && listener.defaultCertificate === undefined
    used ||= lacks
    listeners.set(key, lacks ? { ...listener, defaultCertificate: certificate.key } : listener)
  }
  if (!used) return table
  return {
    ...table,
    listeners,
    certificates: new Map(table.certificates).set(certificate.key, certificate),
  }
}

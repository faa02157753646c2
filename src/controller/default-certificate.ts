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

type Parts = Pick<RouteTable, 'listeners' | 'certificates'>

/**
 * Puts a certificate on every TLS listener of a table that has none by default. Parts of a table that are
 * those of the table before come out as they did then.
 */
export function defaultCertificateAdder(): (
  table: RouteTable,
  certificate: Certificate,
) => RouteTable {
  let last: { readonly given: Parts; readonly by: Certificate; readonly made: Parts } | undefined
  return (table, certificate) => {
    const { listeners, certificates } = table
    const same =
      last?.by === certificate &&
      last.given.listeners === listeners &&
      last.given.certificates === certificates
    if (last === undefined || !same) {
      const given = { listeners, certificates }
      last = { given, by: certificate, made: withCertificate(given, certificate) }
    }
    return { ...table, ...last.made }
  }
}

function withCertificate(given: Parts, certificate: Certificate): Parts {
  const listeners = new Map<string, Listener>()
  let used = false
  for (const [key, listener] of given.listeners) {
    const lacks = listener.protocol === 'https' && listener.defaultCertificate === undefined
    used ||= lacks
    listeners.set(key, lacks ? { ...listener, defaultCertificate: certificate.key } : listener)
  }
  if (!used) return given
  return { listeners, certificates: new Map(given.certificates).set(certificate.key, certificate) }
}

import type { Secret } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { localCluster, tupleKey } from '#src/table/keys.ts'
import type { Certificate } from '#src/table/table.ts'
import type { DiagnosticCode } from '#src/annotations/diagnostics.ts'
import { originOf } from './findings.ts'
import { Memo } from './memo.ts'
import type { Moment } from './moment.ts'
import type { ObjectName, ReadCertificate } from './settings.ts'

/** A Secret as a certificate, or why it is none. */
export type CertificateLookup =
  | {
      readonly certificate: Certificate
      readonly notBeforeMs: number
      /** What was put right while it was read. */
      readonly warnings: readonly string[]
    }
  | { readonly code: DiagnosticCode; readonly problem: string }

/** The certificates of a snapshot, each checked once while its Secret stays the same. */
export class Certificates {
  readonly #memo = new Memo<CertificateLookup>()
  readonly #read: ReadCertificate
  #snapshot: Snapshot | undefined

  constructor(read: ReadCertificate) {
    this.#read = read
  }

  /** Later lookups are answered from this snapshot. */
  use(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  find({ namespace, name }: ObjectName): CertificateLookup {
    const secret = this.#snapshot?.get('Secret', namespace, name)
    if (secret === undefined) {
      return { code: 'secret-missing', problem: `Secret ${namespace}/${name} does not exist` }
    }
    return this.#memo.get(secret, [], () => readSecret(secret, this.#read))
  }

  /** Forgets the Secrets that nobody asked for since the last time. */
  sweep(): void {
    this.#memo.sweep()
    this.#snapshot = undefined
  }
}

function readSecret(secret: Secret, read: ReadCertificate): CertificateLookup {
  const { data, metadata } = secret
  const shown = `Secret ${metadata.namespace}/${metadata.name}`
  const certificatePem = data['tls.crt'] ?? ''
  const keyPem = data['tls.key'] ?? ''
  if (certificatePem === '' || keyPem === '') {
    const missing = certificatePem === '' ? 'tls.crt' : 'tls.key'
    return { code: 'certificate-invalid', problem: `${shown} has no ${missing}` }
  }
  const reading = read(certificatePem, keyPem)
  if (!reading.ok) return { code: 'certificate-invalid', problem: `${shown}: ${reading.error}` }
  return {
    certificate: {
      key: tupleKey('secret', localCluster, metadata.namespace, metadata.name),
      origin: originOf(secret),
      certificatePem: reading.certificatePem,
      keyPem: reading.keyPem,
      names: reading.names,
      fingerprint: reading.fingerprint,
      notAfterMs: reading.notAfterMs,
    },
    notBeforeMs: reading.notBeforeMs,
    warnings: reading.warnings,
  }
}

/** Reports what is wrong with a Secret as a certificate: that it is none, or is not what clients take. */
export function reportCertificate(
  secret: ObjectName,
  found: CertificateLookup,
  moment: Moment,
  report: (code: DiagnosticCode, message: string) => void,
): void {
  if ('problem' in found) {
    report(found.code, found.problem)
    return
  }
  const { certificate, notBeforeMs, warnings } = found
  const shown = `the certificate of Secret ${secret.namespace}/${secret.name}`
  if (moment.isAfter(certificate.notAfterMs)) {
    report('certificate-expired', `${shown} expired on ${dateOf(certificate.notAfterMs)}`)
  }
  if (!moment.isAfter(notBeforeMs - 1)) {
    report('certificate-early', `${shown} is not valid before ${dateOf(notBeforeMs)}`)
  }
  for (const warning of warnings) report('certificate-repaired', `${shown}: ${warning}`)
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString()
}

import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import { covers } from '#src/annotations/names.ts'
import type { Certificate } from '#src/table/table.ts'
import { reportCertificate } from './certificates.ts'
import type { Certificates } from './certificates.ts'
import { reportOn } from './findings.ts'
import type { ParsedIngress, ParsedTls } from './ingress.ts'
import type { Moment } from './moment.ts'

/** What TLS sections say about one host. */
export interface HostTls {
  /** A section names the host, whether or not its certificate can be used. */
  readonly named: boolean
  /** The certificate to serve; undefined: the default one. */
  readonly certificate: Certificate | undefined
}

interface Binding {
  readonly owner: ParsedIngress
  readonly section: ParsedTls
}

const noTls: HostTls = { named: false, certificate: undefined }

/**
 * Binds a host to the Secret of a TLS section. Only sections of Ingresses that have a rule for the
 * host count, oldest first: those that name the host itself, then those that name it by a wildcard,
 * then those that name no host at all and whose certificate covers it. Nothing else is searched.
 */
export function bindTls(
  host: string,
  owners: readonly ParsedIngress[],
  certificates: Certificates,
  diagnostics: Diagnostics,
): HostTls {
  if (host === '' || owners.every(({ tls }) => tls.length === 0)) return noTls
  const exact = sectionsOf(owners, ({ hosts }) => hosts.includes(host))
  reportConflicts(host, exact, diagnostics)
  const wild = exact.length > 0 ? [] : sectionsOf(owners, named(host))
  const binding = exact[0] ?? wild[0]
  if (binding === undefined) return bindUnnamed(host, owners, certificates)
  return { named: true, certificate: certificateFor(host, binding, certificates, diagnostics) }
}

function named(host: string): (section: ParsedTls) => boolean {
  return ({ hosts }) => hosts.some((pattern) => covers(pattern, host))
}

function sectionsOf(
  owners: readonly ParsedIngress[],
  matches: (section: ParsedTls) => boolean,
): Binding[] {
  return owners.flatMap((owner) =>
    owner.tls.filter((section) => matches(section)).map((section) => ({ owner, section })),
  )
}

function reportConflicts(
  host: string,
  [winner, ...losers]: readonly Binding[],
  diagnostics: Diagnostics,
): void {
  for (const loser of losers) {
    if (winner === undefined || secretOf(loser) === secretOf(winner)) continue
    const { namespace, name } = winner.owner.ingress.metadata
    const message = `${host} has its certificate from Ingress ${namespace}/${name}`
    const report = reportOn(loser.owner.ingress, diagnostics)
    report('certificate-conflict', `${loser.section.field}.secretName`, message)
  }
}

function secretOf({ owner, section }: Binding): string {
  return section.secretName === ''
    ? ''
    : `${owner.ingress.metadata.namespace}/${section.secretName}`
}

function certificateFor(
  host: string,
  { owner, section }: Binding,
  certificates: Certificates,
  diagnostics: Diagnostics,
): Certificate | undefined {
  if (section.secretName === '') return undefined
  const { namespace } = owner.ingress.metadata
  const report = reportOn(owner.ingress, diagnostics)
  const found = certificates.find({ namespace, name: section.secretName })
  if ('problem' in found) return undefined
  const { certificate } = found
  if (certificate.names.some((name) => covers(name, host))) return certificate
  const names = certificate.names.slice(0, 5).join(', ')
  const message = `the certificate of Secret ${namespace}/${section.secretName} is for ${names || 'no name'}, not for ${host}`
  report('certificate-mismatch', `${section.field}.secretName`, message)
  return undefined
}

/** A section without hosts is for whatever hosts of its Ingress its certificate covers. */
function bindUnnamed(
  host: string,
  owners: readonly ParsedIngress[],
  certificates: Certificates,
): HostTls {
  for (const { owner, section } of sectionsOf(owners, ({ hosts }) => hosts.length === 0)) {
    if (section.secretName === '') continue
    const { namespace } = owner.ingress.metadata
    const found = certificates.find({ namespace, name: section.secretName })
    if (!('certificate' in found)) continue
    const { certificate } = found
    if (certificate.names.some((name) => covers(name, host))) return { named: true, certificate }
  }
  return noTls
}

/**
 * Reports what is wrong with the Secrets of an Ingress's TLS sections, and names those that cover none of its hosts though they are there for all of them.
 */
export function reportTlsSecrets(
  { ingress, tls, hosts: served }: ParsedIngress,
  certificates: Certificates,
  moment: Moment,
  diagnostics: Diagnostics,
): void {
  const report = reportOn(ingress, diagnostics)
  const { namespace } = ingress.metadata
  for (const { hosts, secretName, field } of tls) {
    if (secretName === '') continue
    const place = `${field}.secretName`
    const secret = { namespace, name: secretName }
    const found = certificates.find(secret)
    reportCertificate(secret, found, moment, (code, message) => {
      report(code, place, message)
    })
    if ('problem' in found) continue
    const { names } = found.certificate
    if (hosts.length > 0) continue
    if (!served.some((host) => names.some((name) => covers(name, host)))) {
      report(
        'certificate-mismatch',
        place,
        `the certificate of Secret ${namespace}/${secretName} covers none of the hosts`,
      )
    }
  }
}

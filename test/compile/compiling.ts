import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { compile } from '#src/compile/compile.ts'
import type { Compiled } from '#src/compile/compiler.ts'
import { defaultCompileSettings } from '#src/compile/settings.ts'
import type {
  AuthoritiesReading,
  CertificateReaders,
  CertificateReading,
  CompileSettings,
} from '#src/compile/settings.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import type { Rule } from '#src/table/table.ts'
import { snapshotOf } from './builders.ts'

/** The time in tests: 2026-11-25. */
export const nowMs = Date.UTC(2026, 10, 25)

export const settings: CompileSettings = {
  ...defaultCompileSettings,
  configMap: { namespace: 'headgate', name: 'options' },
}

/**
 * Stands in for cryptography: a certificate is the text `names a.example *.b.example until 2027-01-01`,
 * with ` from 2026-12-01` or ` out of order` behind it if need be; its key is any text but `wrong`.
 */
export function readFakeCertificate(certificatePem: string, keyPem: string): CertificateReading {
  const match = /^names (.*) until (\S+)(?: from (\S+))?( out of order)?$/.exec(
    certificatePem.trim(),
  )
  if (match === null) return { ok: false, error: 'tls.crt holds no certificate' }
  if (keyPem === 'wrong') return { ok: false, error: 'tls.key does not belong to the certificate' }
  return {
    ok: true,
    certificatePem,
    keyPem,
    names: (match[1] ?? '').split(' '),
    notBeforeMs: Date.parse(match[3] ?? '2020-01-01'),
    notAfterMs: Date.parse(match[2] ?? ''),
    fingerprint: `of ${match[1]}`,
    warnings: match[4] === undefined ? [] : ['the chain was put in order'],
  }
}

/** CA certificates are the text `authorities NAME`, revocation lists `revoked NAME`. */
export function readFakeAuthorities(caPem: string, crlPem: string): AuthoritiesReading {
  if (!caPem.startsWith('authorities ')) return { ok: false, error: 'ca.crt holds no certificate' }
  if (crlPem !== '' && !crlPem.startsWith('revoked ')) {
    return { ok: false, error: 'ca.crl holds no revocation list' }
  }
  return { ok: true, caPem, crlPem, fingerprint: `of ${caPem} ${crlPem}`.trim() }
}

export const fakeReaders: CertificateReaders = {
  readCertificate: readFakeCertificate,
  readAuthorities: readFakeAuthorities,
}

export interface Given extends Partial<CompileSettings> {
  readonly resolved?: Readonly<Record<string, readonly string[]>>
}

export function compileObjects(objects: readonly AnyObject[], given: Given = {}): Compiled {
  const { resolved = {}, ...more } = given
  return compile(snapshotOf(objects, resolved), { ...settings, ...more }, { ...fakeReaders, nowMs })
}

/** Host pattern → rules. */
export function rulesByHost({ table }: Compiled): Map<string, readonly Rule[]> {
  return new Map([...table.hosts.values()].map(({ pattern, rules }) => [pattern, rules]))
}

/** Findings without those that every test would have. */
export function found({ diagnostics }: Compiled): string[] {
  return diagnostics
    .filter(({ code }) => code !== 'configmap-missing')
    .map(
      ({ code, kind, namespace, name, field }) => `${code} ${kind} ${namespace}/${name} ${field}`,
    )
}

/** What a request meets, decided the slow and obvious way: host, then the first rule that matches. */
export function whoServes(compiled: Compiled, host: string, path: string): string {
  const rules = rulesOf(compiled, host)
  const rule = rules?.find(({ path: { type, value } }) => {
    const bytes = pathBytes(value)
    return path === bytes || (type === 'prefix' && path.startsWith(`${bytes}/`))
  })
  if (rule === undefined) return '404'
  const [use] = rule.backends
  return use === undefined ? '503' : use.service
}

function rulesOf(compiled: Compiled, host: string): readonly Rule[] | undefined {
  const hosts = rulesByHost(compiled)
  const wildcard = `*${host.slice(host.indexOf('.'))}`
  return hosts.get(host) ?? (host.includes('.') ? hosts.get(wildcard) : undefined) ?? hosts.get('')
}

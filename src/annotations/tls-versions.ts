import type { ValueType } from './types.ts'

const known = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

/** A version of TLS that is spoken. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** Versions between spaces; those that OpenSSL no longer speaks are left out. */
export const tlsVersions: ValueType<readonly TlsVersion[]> = {
  expects: 'versions with spaces between them, TLSv1.2 or TLSv1.3 among them',
  schema: { pattern: '^(?:(?:SSLv[23]|TLSv1(?:\\.[123])?)\\s*)+$' },
  parse(text) {
    const given = text.split(/\s+/)
    if (given.some((version) => !known.includes(version))) return undefined
    const used = (['TLSv1.2', 'TLSv1.3'] as const).filter((version) => given.includes(version))
    return used.length === 0 ? undefined : used
  },
  format: (versions) => versions.join(' '),
  warn(text) {
    const old = text.split(/\s+/).filter((version) => known.indexOf(version) < 4)
    return old.length === 0 ? undefined : `${old.join(' ')} is left out: it is not secure`
  },
}

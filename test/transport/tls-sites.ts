import { TlsContexts } from '#src/transport/tls-contexts.ts'
import type { ClientAuthorities, TlsSite } from '#src/transport/tls-contexts.ts'
import type { ServerTls, UpstreamTls } from '#src/transport/transport.ts'
import { issue } from './certificates.ts'
import type { Issued } from './certificates.ts'

export const root = await issue({ commonName: 'Root', ca: true })
const intermediate = await issue({ commonName: 'Intermediate', ca: true, issuer: root })
const second = await issue({ commonName: 'Second', ca: true, issuer: intermediate })
const leafA = await issue({ commonName: 'a.test', names: ['a.test'], issuer: root })
const leafB = await issue({ commonName: 'b.test', names: ['b.test'], issuer: root })
const deep = await issue({ commonName: 'deep.test', names: ['deep.test'], issuer: second })
const numbered = await issue({ commonName: 'ip', addresses: ['192.0.2.1'], issuer: root })
export const expired = await issue({
  commonName: 'expired',
  issuer: root,
  notAfter: new Date(Date.now() - 3_600_000),
})
export const alice = await issue({ commonName: 'Alice', organization: 'A, B \u{e9}', issuer: root })
export const stranger = await issue({ commonName: 'Mallory' })

export const siteA: TlsSite = { ...leafA, fingerprint: 'a' }
export const siteB: TlsSite = { ...leafB, fingerprint: 'b' }
export const siteDeep: TlsSite = {
  keyPem: deep.keyPem,
  certificatePem: `${deep.certificatePem}\n${second.certificatePem}\n${intermediate.certificatePem}`,
  fingerprint: 'deep',
}
export const siteNumbered: TlsSite = { ...numbered, fingerprint: 'numbered' }

export const contexts = new TlsContexts({ ticketKeys: Buffer.alloc(48, 1) })

/** Client certificates must come from this one. */
export function authoritiesOf({ certificatePem }: Issued, crlPem = ''): ClientAuthorities {
  return { caPem: certificatePem, crlPem, fingerprint: `${certificatePem}${crlPem}` }
}

const protocols = ['h2', 'http/1.1']

export const versions = ['TLSv1.2', 'TLSv1.3'] as const

export function serverOf(site: TlsSite, more: Partial<ServerTls> = {}): ServerTls {
  return {
    context: contexts.get(site),
    serverName: '',
    alpn: protocols,
    requestCertificate: false,
    ...more,
  }
}

/** A client that verifies `a.test` against the root. */
export function clientOf(more: Partial<UpstreamTls> = {}): UpstreamTls {
  return {
    serverName: 'a.test',
    sendServerName: true,
    verify: true,
    verifyDepth: 1,
    ca: root.certificatePem,
    certificate: '',
    key: '',
    ciphers: '',
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    alpn: [],
    ...more,
  }
}

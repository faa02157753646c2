import { annotationTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { hostname } from '#src/annotations/names.ts'
import { tlsVersions } from '#src/annotations/tls-versions.ts'
import type { TlsVersion } from '#src/annotations/tls-versions.ts'
import { integer, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { objectReference } from '#src/policies/field-lists.ts'
import type { Reference } from '#src/policies/policy-definition.ts'
import type { WeightedBackend } from '#src/table/table.ts'

const notYet = 'this protocol is not supported yet; HTTP is spoken instead'

const cipherList: ValueType<string> = {
  expects: 'a cipher list as OpenSSL reads it',
  schema: { pattern: '^[-A-Za-z0-9+:_!@=,.]+$' },
  parse: (text) => (/^[-A-Za-z0-9+:_!@=,.]{1,2048}$/.test(text) ? text : undefined),
  format: (text) => text,
}

const connectionType: ValueType<'' | 'close' | 'keep-alive'> = {
  ...oneOf(['close', 'keep-alive']),
  format: (option) => option,
}

const common = { scope: 'path', compatibility: 'same' } as const

/** What is spoken with the endpoints. */
export const protocolAnnotations = annotationTable({
  'backend-protocol': {
    ...common,
    type: oneOf(['HTTP', 'HTTPS', 'AUTO_HTTP', 'AUTO', 'GRPC', 'GRPCS', 'H2C', 'H2']),
    default: 'HTTP',
    doc: 'What is spoken with the endpoints: HTTP/1.1; HTTP/2 for GRPC and H2C, over TLS for GRPCS and H2; AUTO: HTTP/2 or HTTP/1.1 over TLS, as the endpoint chooses (ALPN); AUTO_HTTP: the same for clients with TLS, HTTP/1.1 without TLS for others. Without it the appProtocol of the Service port decides. TLS does not verify certificates unless proxy-ssl-verify is on.',
    example: 'HTTPS',
    risk: 'low',
    refused: { fcgi: notYet },
  },
  'proxy-http-version': {
    ...common,
    type: oneOf(['1.0', '1.1']),
    default: '1.1',
    doc: 'Version of HTTP/1 that is spoken with the endpoints. 1.0 closes the connection after each answer, and a body whose length the client has not told is read whole before it is sent, up to 1 MiB.',
    example: '1.0',
    risk: 'low',
    option: true,
  },
  'connection-proxy-header': {
    ...common,
    type: connectionType,
    default: '',
    doc: 'What the Connection field of HTTP/1 says to the endpoint. With close, each request has a connection of its own; keep-alive is what holds anyway, but is said. Upgrades pass with both.',
    example: 'close',
    risk: 'low',
  },
  'proxy-ssl-secret': {
    ...common,
    type: objectReference,
    default: '',
    doc: 'A Secret with ca.crt, to verify endpoints, and with tls.crt and tls.key, to show them. One that is missing closes the routes (503).',
    example: 'shop/upstream-tls',
    risk: 'medium',
    closes: true,
  },
  'proxy-ssl-verify': {
    ...common,
    type: oneOf(['on', 'off']),
    default: 'off',
    doc: 'Whether the certificates of HTTPS endpoints are verified: their authority, and that they are for proxy-ssl-name, without which none is taken.',
    example: 'on',
    risk: 'low',
    closes: true,
  },
  'proxy-ssl-verify-depth': {
    ...common,
    type: integer(0, 100),
    default: 1,
    doc: 'Certificates allowed between the one of an endpoint and the CA. 0 counts as 1.',
    example: '2',
    risk: 'low',
  },
  'proxy-ssl-name': {
    ...common,
    type: hostname,
    default: '',
    doc: 'The name that the certificate of an endpoint must have with proxy-ssl-verify, and that is sent as SNI with proxy-ssl-server-name. Counts without proxy-ssl-secret, too, which ingress-nginx asks for.',
    example: 'internal.example.com',
    risk: 'high',
    closes: true,
  },
  'proxy-ssl-server-name': {
    ...common,
    type: oneOf(['on', 'off']),
    default: 'off',
    doc: 'Whether proxy-ssl-name is sent as SNI. Without that name nothing is sent, where ingress-nginx sends upstream_balancer.',
    example: 'on',
    risk: 'low',
  },
  'proxy-ssl-ciphers': {
    ...common,
    type: cipherList,
    default: 'DEFAULT',
    doc: 'Ciphers towards HTTPS endpoints.',
    example: 'HIGH:!aNULL',
    risk: 'medium',
  },
  'proxy-ssl-protocols': {
    ...common,
    type: tlsVersions,
    default: ['TLSv1.2', 'TLSv1.3'] as readonly TlsVersion[],
    doc: 'TLS versions towards HTTPS endpoints. Without it TLSv1.2 and TLSv1.3, where ingress-nginx leaves TLSv1.3 out once there is a proxy-ssl-secret.',
    example: 'TLSv1.3',
    risk: 'low',
  },
})

export type ProtocolValues = ValuesOf<typeof protocolAnnotations>

/** The Secret that the values name. */
export function protocolReferences(values: ProtocolValues): readonly Reference[] {
  return [
    { kind: 'Secret', key: 'proxy-ssl-secret', text: values['proxy-ssl-secret'], by: 'annotation' },
  ]
}

/** Why a Secret cannot be used towards endpoints; undefined: it can. */
export function upstreamSecretProblem(data: Readonly<Record<string, string>>): string | undefined {
  const certificate = data['tls.crt'] ?? ''
  const key = data['tls.key'] ?? ''
  if ((certificate === '') !== (key === '')) {
    return `the Secret has no ${certificate === '' ? 'tls.crt' : 'tls.key'}`
  }
  const bad = ['ca.crt', 'tls.crt', 'tls.key'].find((name) => {
    const text = data[name] ?? ''
    return text !== '' && !text.includes('-----BEGIN')
  })
  if (bad !== undefined) return `${bad} of the Secret is not PEM`
  return certificate === '' && (data['ca.crt'] ?? '') === ''
    ? 'the Secret has neither ca.crt nor tls.crt'
    : undefined
}

type Spoken = ProtocolValues['backend-protocol']

/** Versions of HTTP as TLS offers them, the preferred one first. */
const spokenBy: Readonly<Record<Spoken, { alpn: readonly string[]; overTls: boolean }>> = {
  HTTP: { alpn: [], overTls: false },
  HTTPS: { alpn: [], overTls: true },
  AUTO_HTTP: { alpn: ['h2', 'http/1.1'], overTls: true },
  AUTO: { alpn: ['h2', 'http/1.1'], overTls: true },
  GRPC: { alpn: ['h2'], overTls: false },
  GRPCS: { alpn: ['h2'], overTls: true },
  H2C: { alpn: ['h2'], overTls: false },
  H2: { alpn: ['h2'], overTls: true },
}

/** What a Service may say of its port (KEP-3726); other names leave it to the annotation. */
const appProtocols: ReadonlyMap<string, Spoken> = new Map([
  ['kubernetes.io/h2c', 'H2C'],
  ['kubernetes.io/ws', 'HTTP'],
  ['kubernetes.io/wss', 'HTTPS'],
  ['http', 'HTTP'],
  ['https', 'HTTPS'],
])

/**
 * The members of a weighted backend that the protocol decides. `secret`: of proxy-ssl-secret;
 * `appProtocol`: of the Service port, where no annotation says what is spoken.
 */
export function protocolOf(
  values: ProtocolValues,
  secret: Readonly<Record<string, string>> = {},
  appProtocol = '',
): Pick<WeightedBackend, 'protocol' | 'tls' | 'followsScheme' | 'connection'> {
  const spoken = appProtocols.get(appProtocol) ?? values['backend-protocol']
  const { alpn, overTls } = spokenBy[spoken]
  const connection = values['connection-proxy-header']
  return {
    protocol: versionOf(values, alpn),
    tls: overTls ? upstreamTls(values, secret, alpn) : undefined,
    ...(spoken === 'AUTO_HTTP' && { followsScheme: true }),
    ...(connection !== '' && { connection }),
  }
}

function versionOf(values: ProtocolValues, alpn: readonly string[]): WeightedBackend['protocol'] {
  if (alpn.length > 1) return 'auto'
  if (alpn.length === 1) return 'http2'
  return values['proxy-http-version'] === '1.0' ? 'http1.0' : 'http1'
}

/** TLS towards endpoints: as ingress-nginx by default no SNI and no verification. */
function upstreamTls(
  values: ProtocolValues,
  secret: Readonly<Record<string, string>>,
  alpn: readonly string[],
): NonNullable<WeightedBackend['tls']> {
  const verify = values['proxy-ssl-verify'] === 'on'
  const sendServerName = values['proxy-ssl-server-name'] === 'on'
  // nginx compares with the name of its upstream block, which no certificate has.
  const verified = values['proxy-ssl-name'] || (verify ? 'upstream_balancer' : '')
  const ciphers = values['proxy-ssl-ciphers']
  const versions = values['proxy-ssl-protocols']
  return {
    serverName: verify || sendServerName ? verified : '',
    sendServerName,
    verify,
    verifyDepth: values['proxy-ssl-verify-depth'] || 1,
    ca: secret['ca.crt'] ?? '',
    certificate: secret['tls.crt'] ?? '',
    key: secret['tls.key'] ?? '',
    ciphers: ciphers === 'DEFAULT' ? '' : ciphers,
    minVersion: versions[0] ?? 'TLSv1.2',
    maxVersion: versions.at(-1) ?? 'TLSv1.3',
    alpn,
  }
}

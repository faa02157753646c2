import type { Comparison, Group } from '../comparison.ts'

const authority = 'ssl_client_certificate @folder/authority.pem;'
/** What the upstream is told of the client, once there is an authority. */
const told =
  'proxy_set_header ssl-client-verify $ssl_client_verify; proxy_set_header ssl-client-subject-dn $ssl_client_s_dn; proxy_set_header ssl-client-issuer-dn $ssl_client_i_dn;'
const kept = {
  fields: ['strict-transport-security'],
  why: 'refusals over TLS say that TLS is to be used, too (RFC 6797 7.2)',
}
const clients = [
  { tls: {} },
  { tls: { certificate: 'alice' } },
  { tls: { certificate: 'stranger' } },
  { tls: { certificate: 'deep' } },
] as const
const lastly = [...clients, { tls: { certificate: 'revoked' } }] as const

// oxlint-disable-next-line max-params -- a row of a table
function verifying(
  key: string,
  name: string,
  own: Readonly<Record<string, string>>,
  server: string,
  location = '',
  requests: Comparison['requests'] = clients,
): Comparison {
  return {
    key,
    name,
    annotations: { 'auth-tls-secret': 'test/authority', ...own },
    tls: true,
    server: `${authority} ${server}`,
    location: `${told} ${location}`,
    requests,
    ...(!own['auth-tls-verify-client']?.match(/off|no_ca/) && { apart: kept }),
  }
}

/** What the handshake with clients asks for, and what comes of it. */
export const clientTls: Group = {
  name: 'TLS of clients',
  comparisons: [
    verifying('auth-tls-secret', 'on', {}, 'ssl_verify_client on; ssl_verify_depth 1;', '', [
      ...clients,
      { tls: {}, method: 'POST', body: 'x'.repeat(1_200_000) },
    ]),
    verifying(
      'auth-tls-secret',
      'with a list of revocations',
      { 'auth-tls-secret': 'test/revoking' },
      'ssl_verify_client on; ssl_verify_depth 1; ssl_crl @folder/revoked.pem;',
      '',
      [lastly[1], lastly[4]],
    ),
    ...(['off', 'optional', 'optional_no_ca'] as const).map((mode) =>
      verifying(
        'auth-tls-verify-client',
        mode,
        { 'auth-tls-verify-client': mode },
        `ssl_verify_client ${mode}; ssl_verify_depth 1;`,
      ),
    ),
    verifying(
      'auth-tls-verify-depth',
      'two',
      { 'auth-tls-verify-depth': '2' },
      'ssl_verify_client on; ssl_verify_depth 2;',
    ),
    verifying(
      'auth-tls-error-page',
      'in place of the refusal',
      { 'auth-tls-error-page': 'https://help.example/why' },
      'ssl_verify_client on; ssl_verify_depth 1; error_page 495 496 = https://help.example/why;',
    ),
    verifying(
      'auth-tls-match-cn',
      'the name of the certificate',
      { 'auth-tls-match-cn': 'CN=(alice|bob)' },
      'ssl_verify_client on; ssl_verify_depth 1; if ($ssl_client_s_dn !~ "CN=(alice|bob)") { return 403 "client certificate unauthorized"; }',
    ),
    verifying(
      'auth-tls-match-cn',
      'another name',
      { 'auth-tls-match-cn': 'CN=bob', 'auth-tls-verify-depth': '2' },
      'ssl_verify_client on; ssl_verify_depth 2; if ($ssl_client_s_dn !~ "CN=bob") { return 403 "client certificate unauthorized"; }',
    ),
    verifying(
      'auth-tls-pass-certificate-to-upstream',
      'all of it',
      { 'auth-tls-pass-certificate-to-upstream': 'true', 'auth-tls-verify-client': 'optional' },
      'ssl_verify_client optional; ssl_verify_depth 1;',
      'proxy_set_header ssl-client-cert $ssl_client_escaped_cert;',
    ),
    {
      key: 'ssl-ciphers',
      name: 'one suite, for TLS 1.2',
      annotations: { 'ssl-ciphers': 'ECDHE-ECDSA-AES256-GCM-SHA384' },
      tls: true,
      server: 'ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;',
      requests: [
        { tls: { version: 'TLSv1.2' } },
        { tls: { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' } },
        { tls: { version: 'TLSv1.3' } },
      ],
    },
    {
      key: 'ssl-prefer-server-ciphers',
      name: 'the order of the client',
      annotations: { 'ssl-prefer-server-ciphers': 'false' },
      tls: true,
      server: 'ssl_prefer_server_ciphers off;',
      requests: [
        {
          tls: {
            version: 'TLSv1.2',
            ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256',
          },
        },
        {
          tls: {
            version: 'TLSv1.2',
            ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256',
          },
        },
      ],
    },
    {
      key: 'ssl-prefer-server-ciphers',
      name: 'the order of the server',
      annotations: { 'ssl-prefer-server-ciphers': 'true' },
      tls: true,
      server: 'ssl_prefer_server_ciphers on;',
      requests: [
        {
          tls: {
            version: 'TLSv1.2',
            ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256',
          },
        },
      ],
    },
  ],
}

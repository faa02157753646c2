import type { Comparison, Group } from '../comparison.ts'

type Annotations = Readonly<Record<string, string>>

/** What all but the first have: without a Secret ingress-nginx heeds none of the other keys. */
const secret = { 'backend-protocol': 'HTTPS', 'proxy-ssl-secret': 'test/client' }
const named = { ...secret, 'proxy-ssl-protocols': 'TLSv1.2', 'proxy-ssl-name': 'in.example' }
const trusted = 'proxy_ssl_trusted_certificate @folder/authority.pem;'
const shown =
  'proxy_ssl_certificate @folder/client.pem; proxy_ssl_certificate_key @folder/client.key;'
const old = 'proxy_ssl_ciphers DEFAULT; proxy_ssl_protocols TLSv1.2;'
const loose = 'proxy_ssl_verify off; proxy_ssl_verify_depth 1; proxy_ssl_server_name off;'
const strict = 'proxy_ssl_verify on; proxy_ssl_verify_depth 1;'

// oxlint-disable-next-line max-params -- a row of a table
function toUpstream(
  key: string,
  name: string,
  annotations: Annotations,
  location: string,
  service = 'secure',
): Comparison {
  const upstream = service === 'secure' ? 'upstream_balancer' : service
  return {
    key,
    name,
    annotations,
    service,
    pass: `proxy_pass https://${upstream};`,
    location,
    requests: [{}, { method: 'POST', body: 'abc' }],
  }
}

/** What the handshake with upstreams asks for. */
export const upstreamTls: Group = {
  name: 'TLS of upstreams',
  // As nginx has it by itself since 1.23.4; ingress-nginx is built with a newer one than Debian's.
  http: 'proxy_ssl_protocols TLSv1.2 TLSv1.3;',
  comparisons: [
    toUpstream('backend-protocol', 'HTTPS', { 'backend-protocol': 'HTTPS' }, ''),
    {
      key: 'backend-protocol',
      name: 'AUTO_HTTP, for a client without TLS',
      annotations: { 'backend-protocol': 'AUTO_HTTP' },
      pass: 'proxy_pass $scheme://echo;',
      requests: [{}],
    },
    {
      key: 'backend-protocol',
      name: 'AUTO_HTTP, for a client with TLS',
      annotations: { 'backend-protocol': 'AUTO_HTTP' },
      service: 'secure',
      pass: 'proxy_pass $scheme://upstream_balancer;',
      requests: [{ tls: {} }],
    },
    toUpstream(
      'proxy-ssl-secret',
      'certificate and authority',
      { ...secret, 'proxy-ssl-protocols': 'TLSv1.2' },
      `${trusted} ${shown} ${old} ${loose}`,
    ),
    {
      ...toUpstream(
        'proxy-ssl-protocols',
        'the default',
        secret,
        `${trusted} ${shown} ${old} ${loose}`,
      ),
      apart: { fields: [':tls'], why: 'TLS 1.3 is not left out' },
    },
    toUpstream(
      'proxy-ssl-verify',
      'on',
      { ...named, 'proxy-ssl-verify': 'on' },
      `${trusted} ${shown} ${old} ${strict} proxy_ssl_name in.example; proxy_ssl_server_name off;`,
    ),
    toUpstream(
      'proxy-ssl-verify',
      'another name than the certificate has',
      { ...named, 'proxy-ssl-verify': 'on', 'proxy-ssl-name': 'other.example' },
      `${trusted} ${shown} ${old} ${strict} proxy_ssl_name other.example; proxy_ssl_server_name off;`,
    ),
    toUpstream(
      'proxy-ssl-verify',
      'without a name',
      { ...secret, 'proxy-ssl-verify': 'on' },
      `${trusted} ${shown} ${old} ${strict} proxy_ssl_server_name off;`,
    ),
    toUpstream(
      'proxy-ssl-verify',
      'another authority',
      { ...named, 'proxy-ssl-secret': 'test/foreign', 'proxy-ssl-verify': 'on' },
      `proxy_ssl_trusted_certificate @folder/foreign.pem; ${old} ${strict} proxy_ssl_name in.example; proxy_ssl_server_name off;`,
    ),
    ...['0', '1', '2'].map((depth) =>
      toUpstream(
        'proxy-ssl-verify-depth',
        `${depth}, with one certificate between`,
        { ...named, 'proxy-ssl-verify': 'on', 'proxy-ssl-verify-depth': depth },
        // ingress-nginx reads 0 as 1.
        `${trusted} ${shown} ${old} proxy_ssl_verify on; proxy_ssl_verify_depth ${depth === '0' ? 1 : depth}; proxy_ssl_name in.example; proxy_ssl_server_name off;`,
        'deep',
      ),
    ),
    ...['1', '2'].map((depth) =>
      toUpstream(
        'proxy-ssl-verify-depth',
        `${depth}, with two certificates between`,
        { ...named, 'proxy-ssl-verify': 'on', 'proxy-ssl-verify-depth': depth },
        `${trusted} ${shown} ${old} proxy_ssl_verify on; proxy_ssl_verify_depth ${depth}; proxy_ssl_name in.example; proxy_ssl_server_name off;`,
        'deeper',
      ),
    ),
    toUpstream(
      'proxy-ssl-name',
      'the name that is asked for',
      { ...named, 'proxy-ssl-server-name': 'on' },
      `${trusted} ${shown} ${old} ${loose.replace('name off', 'name on')} proxy_ssl_name in.example;`,
    ),
    toUpstream(
      'proxy-ssl-server-name',
      'on, and verified',
      { ...named, 'proxy-ssl-server-name': 'on', 'proxy-ssl-verify': 'on' },
      `${trusted} ${shown} ${old} ${strict} proxy_ssl_name in.example; proxy_ssl_server_name on;`,
    ),
    {
      ...toUpstream(
        'proxy-ssl-server-name',
        'on, without a name',
        { ...secret, 'proxy-ssl-protocols': 'TLSv1.2', 'proxy-ssl-server-name': 'on' },
        `${trusted} ${shown} ${old} ${loose.replace('name off', 'name on')}`,
      ),
      apart: { fields: [':tls'], why: 'the name of a block of nginx is not sent' },
    },
    toUpstream(
      'proxy-ssl-server-name',
      'off',
      { ...named, 'proxy-ssl-server-name': 'off' },
      `${trusted} ${shown} ${old} ${loose} proxy_ssl_name in.example;`,
    ),
    toUpstream(
      'proxy-ssl-ciphers',
      'one suite',
      {
        ...named,
        'proxy-ssl-ciphers': 'ECDHE-ECDSA-AES256-GCM-SHA384',
      },
      `${trusted} ${shown} ${loose} proxy_ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384; proxy_ssl_protocols TLSv1.2;`,
    ),
    toUpstream(
      'proxy-ssl-protocols',
      'both',
      { ...secret, 'proxy-ssl-protocols': 'TLSv1.3 TLSv1.2' },
      `${trusted} ${shown} ${loose} proxy_ssl_ciphers DEFAULT; proxy_ssl_protocols TLSv1.2 TLSv1.3;`,
    ),
    toUpstream(
      'proxy-ssl-protocols',
      'TLS 1.3 alone',
      { ...secret, 'proxy-ssl-protocols': 'TLSv1.3' },
      `${trusted} ${shown} ${loose} proxy_ssl_ciphers DEFAULT; proxy_ssl_protocols TLSv1.3;`,
    ),
  ],
}

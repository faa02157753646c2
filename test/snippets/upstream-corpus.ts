import type { SnippetCase } from './snippet-case.ts'

/** The bytes of a text, one character each. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** Snippets about the request that the upstream gets. */
export const upstreamSnippets: readonly SnippetCase[] = [
  {
    name: 'WebSocket fields',
    apart: { fields: ['connection'], why: 'only requests that ask for an upgrade offer one' },
    plain: true,
    text: 'proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection "upgrade";',
    unused: [2, 3],
    requests: [{ status: 200 }],
  },
  {
    name: 'fields for the upstream',
    text: 'proxy_set_header X-Tenant $arg_tenant;\nproxy_set_header X-Forwarded-Ssl on;\nproxy_set_header X-Secret "";\nproxy_set_header X-Where "$namespace/$ingress_name";\ngrpc_set_header X-Tenant $arg_tenant;',
    plain: true,
    requests: [
      {
        target: '/?tenant=t1',
        fields: { 'X-Secret': 's' },
        sentFields: {
          'x-tenant': 't1',
          'x-forwarded-ssl': 'on',
          'x-secret': '',
          'x-where': 'shop/web',
        },
      },
    ],
  },
  {
    name: 'text beyond ASCII is bytes, as requests are',
    key: 'server-snippet',
    text: `location ~ ^/ü { deny all; }
location = /č { return 200 "č $uri"; }
set $word "é";
if ($uri = "/ö") { return 410; }
if ($uri ~ "^/ä/(.+)$") { return 302 https://x.example/ä?w=$word; }
add_header X-Word $word;`,
    requests: [
      { target: '/%C3%BC/x', status: 403 },
      { target: '/%C4%8D', status: 200, body: latin1('č /č') },
      { target: '/%C3%B6', status: 410 },
      { target: '/%C3%A4/b', status: 302, location: latin1('https://x.example/ä?w=é') },
      { target: '/b', status: 200, answer: { 'x-word': latin1('é') } },
    ],
  },
  {
    name: 'forwarding fields of its own, once each',
    text: 'proxy_set_header X-Forwarded-Proto https;\nproxy_set_header X-Real-IP $http_x_client;',
    requests: [
      {
        fields: { 'X-Client': '192.0.2.9' },
        sentFields: { 'x-forwarded-proto': 'https', 'x-real-ip': '192.0.2.9' },
      },
    ],
  },
  {
    name: 'another Host for the upstream',
    text: 'proxy_set_header X-Real-Host $host;',
    plain: true,
    requests: [{ sentFields: { 'x-real-host': 'a.example' } }],
  },
]

import type { Comparison, Group } from '../comparison.ts'

const get = [{}]
/** As Lua of ingress-nginx says it: without a slash at the end. */
const toHttps =
  'set $to $request_uri; if ($request_uri ~ "^(.*)/$") { set $to $1; } if ($scheme = http) { return 308 https://$host$to; }'

const redirected = [
  {},
  { target: '/a?b=c' },
  { target: '/a/' },
  { target: '/a%20b//c' },
  { method: 'POST', target: '/p', body: 'x' },
]

const toTls: readonly Comparison[] = [
  {
    key: 'ssl-redirect',
    name: 'a TLS section asks for it',
    annotations: {},
    tls: true,
    location: toHttps,
    requests: [...redirected, { tls: {}, target: '/a/' }],
  },
  {
    key: 'ssl-redirect',
    name: 'off',
    annotations: { 'ssl-redirect': 'false' },
    tls: true,
    requests: [{ target: '/a' }, { tls: {} }],
  },
  {
    key: 'force-ssl-redirect',
    name: 'without a TLS section',
    annotations: { 'force-ssl-redirect': 'true' },
    location: toHttps,
    requests: [...redirected, { tls: {} }],
  },
  {
    key: 'preserve-trailing-slash',
    name: 'the slash is kept',
    annotations: { 'force-ssl-redirect': 'true', 'preserve-trailing-slash': 'true' },
    location: 'if ($scheme = http) { return 308 https://$host$request_uri; }',
    requests: redirected,
  },
  {
    key: 'use-port-in-redirects',
    name: 'the port of https',
    annotations: { 'force-ssl-redirect': 'true', 'use-port-in-redirects': 'true' },
    location:
      'if ($request_uri ~ "^(.*)/$") { set $cut $1; return 308 https://$host:@httpsPort$cut; } return 308 https://$host:@httpsPort$request_uri;',
    requests: redirected,
  },
]

/** Answers that lead elsewhere. */
export const redirects: Group = {
  name: 'redirects',
  comparisons: [
    ...toTls,
    {
      key: 'permanent-redirect',
      name: 'a URL',
      annotations: { 'permanent-redirect': 'https://www.example.com/new' },
      location: 'return 301 https://www.example.com/new;',
      requests: [{ target: '/a?b' }, { method: 'POST', body: 'x' }],
    },
    ...['if ($http_x_a = b) { return 403; }', 'rewrite ^/old /new break;'].map((snippet) => ({
      key: 'permanent-redirect',
      name: `behind a snippet: ${snippet}`,
      annotations: {
        'permanent-redirect': 'https://x.example$uri',
        'configuration-snippet': snippet,
      },
      location: `${snippet} return 301 https://x.example$uri;`,
      requests: [{ target: '/x' }, { fields: { 'X-A': 'b' } }, { target: '/old' }],
    })),
    {
      key: 'permanent-redirect',
      name: 'a path becomes a URL',
      annotations: { 'permanent-redirect': '/new' },
      location: 'return 301 /new;',
      requests: [{ target: '/a?b' }, { tls: {} }],
    },
    {
      key: 'permanent-redirect-code',
      name: '308',
      annotations: { 'permanent-redirect': '/elsewhere', 'permanent-redirect-code': '308' },
      location: 'return 308 /elsewhere;',
      requests: get,
    },
    {
      key: 'temporal-redirect',
      name: 'with a variable',
      annotations: { 'temporal-redirect': 'https://www.example.com$request_uri' },
      location: 'return 302 https://www.example.com$request_uri;',
      requests: [{ target: '/a%20b?c=d' }],
    },
    {
      key: 'temporal-redirect-code',
      name: '307',
      annotations: { 'temporal-redirect': '/t', 'temporal-redirect-code': '307' },
      location: 'return 307 /t;',
      requests: get,
    },
    {
      key: 'relative-redirects',
      name: 'a path stays a path',
      annotations: { 'permanent-redirect': '/rel', 'relative-redirects': 'true' },
      location: 'absolute_redirect off; return 301 /rel;',
      requests: get,
    },
    {
      key: 'from-to-www-redirect',
      name: 'www to the bare name',
      annotations: { 'from-to-www-redirect': 'true' },
      requests: [
        { host: 'www.@', target: '/a?b' },
        { host: 'www.@', target: '/a/' },
        {},
        { host: 'www.@', method: 'POST', body: 'x'.repeat(1_200_000) },
      ],
      // ingress-nginx names the port, too; the standard one means the same.
      http: 'server { @plain; server_name www.@host; set $to $request_uri; if ($request_uri ~ "^(.*)/$") { set $to $1; } return 308 $scheme://@host$to; }',
    },
    {
      key: 'proxy-redirect-from',
      name: 'Location and Refresh',
      annotations: {
        'proxy-redirect-from': 'http://in.example/',
        'proxy-redirect-to': 'https://out.example/',
      },
      location: 'proxy_redirect http://in.example/ https://out.example/;',
      requests: [
        { upstream: { status: 302, fields: { Location: 'http://in.example/a?b' } } },
        { upstream: { status: 301, fields: { Location: 'http://else.example/a' } } },
        { upstream: { fields: { Refresh: '5; url=http://in.example/a' } } },
        { upstream: { status: 201, fields: { Location: '/relative' } } },
      ],
    },
    {
      key: 'proxy-redirect-to',
      name: 'a variable in it, and a beginning in another case',
      annotations: { 'proxy-redirect-from': 'http://', 'proxy-redirect-to': 'https://$host/' },
      location: 'proxy_redirect http:// https://$host/;',
      requests: [
        { upstream: { status: 302, fields: { Location: 'http://in.example/a?b' } } },
        { upstream: { status: 302, fields: { Location: 'HTTP://in.example/a?b' } } },
        { upstream: { status: 302, fields: { Location: '' } } },
      ],
    },
    {
      key: 'proxy-redirect-from',
      name: 'default',
      annotations: { 'proxy-redirect-from': 'default' },
      pass: 'proxy_pass http://echo; proxy_redirect default;',
      requests: [{ upstream: { status: 302, fields: { Location: 'http://in.example/a?b' } } }],
    },
  ],
}

import type { ComparedRequest, Group } from '../comparison.ts'
import { asking, authenticated, service } from './external-auth.ts'

const asked = `${authenticated} auth_request_set $authHeader0 $upstream_http_x_user; proxy_set_header 'X-User' $authHeader0;`

/** Authentication by one service for everything. */
const globalAuth: Group = {
  name: 'options: authentication for everything',
  options: {
    'global-auth-url': `${service}/403`,
    'global-auth-method': 'POST',
    'global-auth-response-headers': 'X-User',
    'global-auth-snippet': 'proxy_set_header X-Tenant $http_x_tenant;',
    'no-auth-locations': '/open',
  },
  comparisons: [
    {
      key: 'global-auth-url',
      name: 'holds for a route that says nothing',
      annotations: {},
      location: asked,
      server: asking(
        `${service}/403`,
        'proxy_method POST; proxy_set_header X-Original-URI $request_uri; proxy_set_header X-Scheme $scheme; proxy_set_header X-Tenant $http_x_tenant;',
      ),
      requests: [{ target: '/x?y', fields: { 'X-Tenant': 't' } }],
    },
    {
      key: 'enable-global-auth',
      name: 'off',
      annotations: { 'enable-global-auth': 'false' },
      requests: [{ target: '/x?y', fields: { 'X-User': 'mine' } }],
    },
    {
      key: 'enable-global-auth',
      name: 'on, and a service of its own wins',
      annotations: { 'enable-global-auth': 'true', 'auth-url': `${service}/200` },
      location: authenticated,
      server: asking(`${service}/200`),
      requests: [{ target: '/x?y' }],
    },
    {
      key: 'no-auth-locations',
      name: 'a path that needs none',
      annotations: {},
      path: '/open',
      requests: [{ target: '/open/x' }],
    },
  ],
}

/** Fields of requests and answers for everything. */
const allFields: Group = {
  name: 'options: fields for everything',
  options: {
    'proxy-set-headers': 'test/upstream',
    'add-headers': 'test/answers',
    'hide-headers': 'X-Powered-By,X-Secret',
    'generate-request-id': 'false',
    'proxy-add-original-uri-header': 'true',
    'enable-underscores-in-headers': 'true',
    'allow-backend-server-header': 'true',
    'limit-req-status-code': '429',
    'limit-conn-status-code': '420',
    'http-redirect-code': '301',
    'hsts-max-age': '60',
    'hsts-include-subdomains': 'false',
    'hsts-preload': 'true',
  },
  http: `underscores_in_headers on; limit_req_status 429; limit_conn_status 420; proxy_pass_header Server;
    proxy_hide_header X-Powered-By; proxy_hide_header X-Secret;`,
  location: `proxy_set_header X-Request-ID $http_x_request_id; proxy_set_header X-Original-URI $request_uri;
    proxy_set_header X-Sent "global"; proxy_set_header X-Scheme-Of "$scheme";
    add_header X-Added "to all" always; add_header Strict-Transport-Security $own_hsts always;`,
  comparisons: [
    {
      key: 'proxy-set-headers',
      name: 'fields of a ConfigMap, and no request id',
      annotations: {},
      http: "map $https $own_hsts { on 'max-age=60; preload'; default ''; }",
      requests: [
        { target: '/x?y', fields: { 'X-Sent': 'mine', under_scored: '1' } },
        { fields: { 'X-Request-ID': 'abc', 'X-Original-URI': '/forged' } },
      ],
    },
    {
      key: 'hide-headers',
      name: 'fields of upstreams, Server among them',
      annotations: {},
      requests: [
        {
          upstream: {
            fields: { 'X-Powered-By': 'php', 'X-Secret': '1', 'X-Other': '2', Server: 'own' },
          },
        },
        { tls: {} },
      ],
    },
    {
      key: 'limit-req-status-code',
      name: 'in place of 503',
      annotations: { 'limit-rps': '1', 'limit-burst-multiplier': '1' },
      http: 'limit_req_zone $binary_remote_addr zone=@id:1m rate=1r/s;',
      location: 'limit_req zone=@id burst=1 nodelay;',
      requests: [{ times: 4 }],
    },
    {
      key: 'limit-conn-status-code',
      name: 'rates count first, and what they refuse is not under way',
      annotations: { 'limit-connections': '2', 'limit-rps': '1', 'limit-burst-multiplier': '1' },
      http: 'limit_req_zone $binary_remote_addr zone=@id:1m rate=1r/s; limit_conn_zone $binary_remote_addr zone=@id_c:1m;',
      location: 'limit_conn @id_c 2; limit_req zone=@id burst=1 nodelay;',
      requests: [{ times: 6, atOnce: true, upstream: { waitMs: 700 } }],
    },
    {
      key: 'http-redirect-code',
      name: 'in place of 308',
      annotations: { 'force-ssl-redirect': 'true' },
      location: 'if ($scheme = http) { return 301 https://$host$request_uri; }',
      requests: [{ target: '/x?y' }],
    },
  ],
}

const trusting = `real_ip_header X-Forwarded-For; real_ip_recursive on; set_real_ip_from 127.0.0.0/8; set_real_ip_from 10.0.0.0/8;
    map $http_x_forwarded_proto $pass_scheme { default $http_x_forwarded_proto; '' $scheme; }
    map $http_x_forwarded_port $own_port { default $http_x_forwarded_port; '' $pass_port; }
    map $http_x_forwarded_host $best_host { "~^(?<first>[^,]+)" $first; default $http_host; }
    map $http_x_forwarded_for $full_for { default "$http_x_forwarded_for, $realip_remote_addr"; '' $realip_remote_addr; }`

const connectionVariables =
  'add_header X-Seen "$scheme [$https] $host $http_host $remote_addr $http_x_forwarded_host" always;'

/** What trusted peers say of the client. */
const forwarded: Group = {
  name: 'options: what trusted peers say',
  options: {
    'use-forwarded-headers': 'true',
    'compute-full-forwarded-for': 'true',
    'proxy-real-ip-cidr': '127.0.0.0/8,10.0.0.0/8',
  },
  http: trusting,
  location: `proxy_set_header Host $best_host; proxy_set_header X-Forwarded-For $full_for;
    proxy_set_header X-Forwarded-Host $best_host; proxy_set_header X-Forwarded-Port $own_port;
    proxy_set_header X-Forwarded-Proto $pass_scheme; proxy_set_header X-Forwarded-Scheme $pass_scheme;
    proxy_set_header X-Scheme $pass_scheme;`,
  comparisons: [
    {
      key: 'use-forwarded-headers',
      name: 'https without a port',
      annotations: {},
      apart: {
        fields: ['x-forwarded-port'],
        why: 'it is the port of https then, and not ours of http',
      },
      requests: [{ fields: { 'X-Forwarded-Proto': 'https' } }],
    },
    {
      key: 'use-forwarded-headers',
      name: 'address, host, scheme and port of the client',
      annotations: {},
      requests: [
        {},
        { fields: { 'X-Forwarded-For': '192.0.2.7' } },
        { fields: { 'X-Forwarded-For': '192.0.2.7, 10.1.2.3' } },
        { fields: { 'X-Forwarded-For': 'nonsense, 192.0.2.7' } },
        { fields: { 'X-Forwarded-Host': 'public.example, inner.example' } },
        { fields: { 'X-Forwarded-Port': '8443', 'X-Forwarded-Proto': 'https' } },
        { fields: { 'X-Real-IP': '192.0.2.9', 'X-Scheme': 'wss' } },
      ],
    },
    {
      key: 'use-forwarded-headers',
      name: 'variables are of the connection and of what came over it',
      annotations: { 'configuration-snippet': connectionVariables },
      location: connectionVariables,
      requests: [
        {
          fields: { 'X-Forwarded-Host': 'public.example:8443', 'X-Forwarded-For': '192.0.2.7' },
        },
        { tls: {}, fields: { 'X-Forwarded-Proto': 'http', 'X-Forwarded-Port': '81' } },
      ],
    },
    {
      key: 'allowlist-source-range',
      name: 'of the client that a trusted peer names',
      annotations: { 'allowlist-source-range': '192.0.2.0/24' },
      location: 'allow 192.0.2.0/24; deny all;',
      requests: [
        {},
        { fields: { 'X-Forwarded-For': '192.0.2.7' } },
        { fields: { 'X-Forwarded-For': '192.0.2.7, 198.51.100.1' } },
      ],
    },
  ],
}

const compressed = [
  { fields: { 'Accept-Encoding': 'gzip' }, upstream: { bodyBytes: 3000 } },
  { fields: { 'Accept-Encoding': 'gzip;q=0' }, upstream: { bodyBytes: 3000 } },
  { fields: { 'Accept-Encoding': 'deflate, gzip;q=0.5' }, upstream: { bodyBytes: 3000 } },
  { upstream: { bodyBytes: 3000 } },
  {
    fields: { 'Accept-Encoding': 'gzip' },
    upstream: { bodyBytes: 99, fields: { 'Content-Length': '99' } },
  },
  {
    fields: { 'Accept-Encoding': 'gzip' },
    upstream: { bodyBytes: 3000, fields: { 'Content-Type': 'image/png' } },
  },
  {
    fields: { 'Accept-Encoding': 'gzip' },
    upstream: { bodyBytes: 3000, fields: { 'Content-Type': 'text/html; charset=utf-8' } },
  },
  {
    fields: { 'Accept-Encoding': 'gzip' },
    upstream: { bodyBytes: 3000, fields: { 'Content-Encoding': 'br' } },
  },
  {
    fields: { 'Accept-Encoding': 'gzip' },
    upstream: { bodyBytes: 3000, fields: { ETag: '"a"', Vary: 'Cookie' } },
  },
  { fields: { 'Accept-Encoding': 'gzip' }, upstream: { status: 404, bodyBytes: 3000 } },
  { fields: { 'Accept-Encoding': 'gzip' }, upstream: { status: 500, bodyBytes: 3000 } },
  { method: 'HEAD', fields: { 'Accept-Encoding': 'gzip' }, upstream: { bodyBytes: 3000 } },
] as const

const compression: Group = {
  name: 'options: compression',
  options: {
    'use-gzip': 'true',
    'gzip-level': '3',
    'gzip-min-length': '100',
    'gzip-types': 'text/plain application/json',
  },
  http: 'gzip on; gzip_comp_level 3; gzip_http_version 1.1; gzip_min_length 100; gzip_types text/plain application/json; gzip_proxied any; gzip_vary on;',
  comparisons: [
    {
      key: 'use-gzip',
      name: 'any coding will do',
      annotations: {},
      apart: { fields: ['content-encoding'], why: 'a * names gzip, too (RFC 9110 12.5.3)' },
      requests: [{ fields: { 'Accept-Encoding': '*' }, upstream: { bodyBytes: 3000 } }],
    },
    {
      key: 'use-gzip',
      name: 'by type, length and what clients take',
      annotations: {},
      requests: compressed,
    },
  ],
}

const brotli: Group = {
  name: 'options: brotli',
  options: { 'enable-brotli': 'true', 'brotli-min-length': '100', 'brotli-types': 'text/plain' },
  comparisons: [
    {
      key: 'enable-brotli',
      name: 'by type, length and what clients take',
      annotations: {},
      modules: ['brotli_filter'],
      location:
        'brotli on; brotli_comp_level 4; brotli_min_length 100; brotli_types text/plain; gzip_vary on;',
      requests: compressed.map((request) => withBrotli(request)),
    },
  ],
}

/** The same with br in place of gzip. */
function withBrotli(request: ComparedRequest): ComparedRequest {
  const { fields = {} } = request
  const codings = fields['Accept-Encoding']?.replace('gzip', 'br')
  return codings === undefined
    ? request
    : { ...request, fields: { ...fields, 'Accept-Encoding': codings } }
}

/** Defaults of annotations, and who is turned away everywhere. */
const presets: Group = {
  name: 'options: presets and blocks',
  options: {
    'proxy-body-size': '1k',
    'denylist-source-range': '10.0.0.0/8',
    'whitelist-source-range': '192.0.2.0/24',
    'block-user-agents': 'curl-like, ~*bot',
    'block-referers': '~evil, http://bad.example/',
    'proxy-cookie-path': '/ /app/',
    'custom-http-errors': '404',
    'ssl-protocols': 'TLSv1.3',
    'relative-redirects': 'true',
  },
  defaultBackend: true,
  http: `map $http_user_agent $block_ua { default 0; curl-like 1; ~*bot 1; }
    map $http_referer $block_ref { default 0; ~evil 1; http://bad.example/ 1; }
    absolute_redirect off;`,
  comparisons: [
    {
      key: 'whitelist-source-range',
      name: 'holds for a route that says nothing',
      annotations: {},
      location: 'deny 10.0.0.0/8; allow 192.0.2.0/24; deny all;',
      requests: [{}],
    },
    {
      key: 'block-user-agents',
      name: 'and referers, before everything else',
      annotations: { 'allowlist-source-range': '127.0.0.1' },
      server: 'if ($block_ua) { return 403; } if ($block_ref) { return 403; }',
      location:
        'client_max_body_size 1k; deny 10.0.0.0/8; allow 127.0.0.1; deny all; proxy_cookie_path / /app/;',
      requests: [
        {},
        ...['curl-like', 'Curl-Like', 'curl-like/1', 'GoogleBot'].map((agent) => ({
          fields: { 'User-Agent': agent },
        })),
        ...['http://bad.example/', 'http://bad.example/x', 'http://a.evil/'].map((referer) => ({
          fields: { Referer: referer },
        })),
        { method: 'POST', body: 'x'.repeat(1025) },
      ],
    },
    {
      key: 'proxy-body-size',
      name: 'an annotation overrides it',
      annotations: { 'allowlist-source-range': '127.0.0.1', 'proxy-body-size': '2k' },
      location: 'client_max_body_size 2k; allow 127.0.0.1; deny all; proxy_cookie_path / /app/;',
      requests: [
        { method: 'POST', body: 'x'.repeat(2048) },
        { method: 'POST', body: 'x'.repeat(2049) },
      ],
    },
    {
      key: 'relative-redirects',
      name: 'for everything',
      annotations: { 'permanent-redirect': '/new' },
      location: 'return 301 /new;',
      requests: [{}],
    },
  ],
}

/** What the ConfigMap says for everything. */
export const optionGroups: readonly Group[] = [
  globalAuth,
  allFields,
  forwarded,
  compression,
  brotli,
  presets,
]

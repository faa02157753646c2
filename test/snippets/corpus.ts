import { refusedSnippets } from './refused-corpus.ts'
import { rewritingSnippets } from './rewriting-corpus.ts'
import type { SnippetCase } from './snippet-case.ts'
import { upstreamSnippets } from './upstream-corpus.ts'

/** The corpus: data of the translation's tests and of the comparison with nginx. */
export const snippetCorpus: readonly SnippetCase[] = [
  {
    name: 'security headers by more_set_headers',
    module: 'headers_more_filter',
    text: 'more_set_headers "X-Frame-Options: DENY";\nmore_set_headers "X-Content-Type-Options: nosniff" "Referrer-Policy: no-referrer";',
    requests: [
      { answer: { 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' } },
      { upstream: 500, answer: { 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' } },
    ],
  },
  {
    name: 'security headers by add_header',
    text: 'add_header X-Frame-Options SAMEORIGIN;\nadd_header Content-Security-Policy "default-src \'self\'; img-src *" always;',
    plain: true,
    requests: [
      {
        answer: {
          'x-frame-options': 'SAMEORIGIN',
          'content-security-policy': "default-src 'self'; img-src *",
        },
      },
      {
        upstream: 404,
        answer: {
          'x-frame-options': '',
          'content-security-policy': "default-src 'self'; img-src *",
        },
      },
    ],
  },
  {
    name: 'CORS by hand',
    text: `if ($request_method = OPTIONS) {
  add_header Access-Control-Allow-Origin "$http_origin";
  add_header Access-Control-Allow-Methods "GET, POST";
  add_header Access-Control-Max-Age 1728000;
  return 204;
}
add_header Access-Control-Allow-Origin $http_origin always;`,
    plain: true,
    requests: [
      {
        method: 'OPTIONS',
        fields: { Origin: 'https://a.example' },
        status: 204,
        answer: {
          'access-control-allow-origin': 'https://a.example',
          'access-control-max-age': '1728000',
        },
      },
      {
        fields: { Origin: 'https://b.example' },
        answer: {
          'access-control-allow-origin': 'https://b.example',
          'access-control-max-age': '',
        },
      },
    ],
  },
  {
    name: 'CORS for listed origins',
    text: `if ($http_origin ~* "^https://(www|app)\\.shop\\.example$") {
  add_header Access-Control-Allow-Origin $http_origin;
  add_header Access-Control-Allow-Credentials true;
}`,
    plain: true,
    requests: [
      {
        fields: { Origin: 'https://APP.shop.example' },
        answer: { 'access-control-allow-origin': 'https://APP.shop.example' },
      },
      { fields: { Origin: 'https://evil.example' }, answer: { 'access-control-allow-origin': '' } },
    ],
  },
  {
    name: 'CORS with a flag of several conditions',
    text: `set $cors "";
if ($http_origin ~ "\\.shop\\.example$") { set $cors "o"; }
if ($request_method = OPTIONS) { set $cors "\${cors}p"; }
if ($cors = "op") {
  add_header Access-Control-Allow-Origin $http_origin;
  return 204;
}`,
    plain: true,
    requests: [
      {
        method: 'OPTIONS',
        fields: { Origin: 'https://a.shop.example' },
        status: 204,
        answer: { 'access-control-allow-origin': 'https://a.shop.example' },
      },
      { method: 'OPTIONS', fields: { Origin: 'https://a.other.example' }, status: 200 },
    ],
  },
  {
    name: 'maintenance',
    text: 'return 503;',
    plain: true,
    requests: [{ status: 503 }],
  },
  {
    name: 'maintenance but for the office',
    plain: true,
    text: `set $closed 1;
if ($remote_addr = 192.0.2.10) { set $closed 0; }
if ($closed) { return 503 "back soon\\n"; }`,
    requests: [
      { status: 503, body: 'back soon\n' },
      { client: '192.0.2.10', status: 200 },
    ],
  },
  {
    name: 'www to the bare name',
    plain: true,
    key: 'server-snippet',
    text: 'if ($host = "www.a.example") { return 301 https://a.example$request_uri; }\nif ($host ~ ^(m|mobile)\\.(.+)$) { return 302 https://$2/mobile; }',
    requests: [{ target: '/x?y', status: 200 }],
  },
  {
    name: 'http to https behind a balancer',
    key: 'server-snippet',
    text: 'if ($http_x_forwarded_proto = "http") { return 301 https://$host$request_uri; }',
    plain: true,
    requests: [
      {
        target: '/p?q=1',
        fields: { 'X-Forwarded-Proto': 'http' },
        status: 301,
        location: 'https://a.example/p?q=1',
      },
      { status: 200 },
    ],
  },
  {
    name: 'canonical redirect of old paths',
    text: 'rewrite ^/old/(.*)$ /new/$1 permanent;\nrewrite ^/gone$ https://other.example/here? redirect;',
    plain: true,
    requests: [
      { target: '/old/a%20b?x=1', status: 301, location: 'http://a.example/new/a%20b?x=1' },
      { target: '/gone?x', status: 302, location: 'https://other.example/here' },
      { target: '/kept', status: 200, sent: '/kept' },
    ],
  },
  {
    name: 'a slash at the end',
    text: 'rewrite ^([^.]*[^/])$ $1/ permanent;',
    plain: true,
    requests: [
      { target: '/docs', status: 301, location: 'http://a.example/docs/' },
      { target: '/docs/', status: 200 },
    ],
  },
  {
    name: 'a path rewritten, with break',
    text: 'rewrite ^/api/v1/(.*)$ /v1/$1?from=edge break;\nrewrite ^/v1/(.*)$ /never/$1 break;',
    plain: true,
    requests: [
      { target: '/api/v1/a%20b?x=1', sent: '/v1/a%20b?from=edge&x=1' },
      { target: '/v1/z', sent: '/never/z' },
    ],
  },
  {
    name: 'a path rewritten, with last',
    text: 'rewrite ^/a/(.*)$ /b/$1 last;',
    plain: true,
    requests: [{ target: '/a/x?y', sent: '/b/x?y' }],
  },
  {
    name: 'rewrites that go round',
    text: 'rewrite ^/(.*)$ /x/$1 last;',
    plain: true,
    requests: [{ target: '/a', status: 500 }],
  },
  ...rewritingSnippets,
  ...upstreamSnippets,
  {
    name: 'hidden files',
    key: 'server-snippet',
    text: 'location ~ /\\.(git|env) { deny all; }\nlocation = /robots.txt { default_type text/plain; return 200 "User-agent: *\\nDisallow: /\\n"; }',
    plain: true,
    requests: [
      { target: '/.git/config', status: 403 },
      { target: '/x/.env', status: 403 },
      { target: '/git', status: 200 },
      {
        target: '/robots.txt',
        status: 200,
        body: 'User-agent: *\nDisallow: /\n',
        answer: { 'content-type': 'text/plain' },
      },
    ],
  },
  {
    name: 'an internal prefix, closed',
    key: 'server-snippet',
    text: 'location ^~ /internal/ { return 404; }\nlocation /metrics { deny all; }',
    plain: true,
    requests: [
      { target: '/internal/x', status: 404 },
      { target: '/metrics', status: 403 },
      { target: '/intern', status: 200 },
    ],
  },
  {
    name: 'addresses',
    plain: true,
    text: 'allow 192.0.2.0/24;\ndeny all;',
    requests: [
      { client: '192.0.2.9', status: 200 },
      { client: '198.51.100.1', status: 403 },
      { client: '2001:db8::1', status: 403 },
    ],
  },
  {
    name: 'bad robots',
    key: 'server-snippet',
    text: 'if ($http_user_agent ~* "(semrush|ahrefs)bot") { return 403; }',
    plain: true,
    requests: [
      { fields: { 'User-Agent': 'Mozilla AhrefsBot' }, status: 403 },
      { fields: { 'User-Agent': 'Mozilla' }, status: 200 },
    ],
  },
  {
    name: 'methods',
    text: 'if ($request_method !~ ^(GET|HEAD)$) { return 405; }',
    plain: true,
    requests: [
      { method: 'DELETE', status: 405 },
      { method: 'GET', status: 200 },
    ],
  },
  {
    name: 'longer times and bodies',
    plain: true,
    text: 'proxy_read_timeout 300s;\nproxy_send_timeout 300s;\nproxy_connect_timeout 10;\nclient_max_body_size 64m;',
    requests: [{ status: 200 }],
  },
  {
    name: 'the same for a server, where nginx overrides it',
    plain: true,
    key: 'server-snippet',
    text: 'client_max_body_size 64m;\nproxy_read_timeout 300s;',
    unused: [1, 2],
  },
  {
    name: 'buffers',
    plain: true,
    text: 'proxy_buffering off;\nproxy_buffers 8 16k;\nproxy_buffer_size 16k;\ngzip_vary on;',
    unused: [1, 2, 4],
  },
  {
    name: 'compression of a location',
    apart: { fields: ['vary'], why: 'caches are told (RFC 9110 12.5.5), also without gzip_vary' },
    module: 'brotli_filter',
    text: 'gzip on;\ngzip_types text/plain application/json;\ngzip_min_length 1k;\ngzip_comp_level 5;\nbrotli on;\nbrotli_comp_level 6;\nbrotli_types *;',
  },
  {
    name: 'compression that cannot be',
    text: 'gzip static;\ngzip_comp_level 10;\ngzip_types json;\nif ($http_a) { gzip off; }\nbrotli_min_length -1;',
    refused: [1, 2, 3, 4, 5],
  },
  {
    name: 'caching in browsers',
    text: 'expires 1h;\nadd_header Cache-Control public;',
    plain: true,
    requests: [
      { answer: { 'cache-control': 'max-age=3600' } },
      { upstream: 404, answer: { expires: '' } },
    ],
  },
  {
    name: 'no caching in browsers',
    text: 'expires epoch;',
    plain: true,
    requests: [
      { answer: { 'cache-control': 'no-cache', expires: 'Thu, 01 Jan 1970 00:00:01 GMT' } },
    ],
  },
  {
    name: 'caching of some media types',
    module: 'headers_more_filter',
    text: 'more_set_headers -t "text/html text/plain" "Cache-Control: no-store";\nmore_set_headers -s "404 410" "X-Missing: 1";',
    requests: [
      { answer: { 'cache-control': 'no-store', 'x-missing': '' } },
      { upstream: 404, answer: { 'x-missing': '1' } },
    ],
  },
  {
    name: 'fields taken away',
    module: 'headers_more_filter',
    text: 'more_clear_headers Server X-Powered-By "X-Internal-*";\nproxy_hide_header X-Hidden;\nmore_clear_input_headers X-Debug;',
    requests: [
      {
        fields: { 'X-Debug': '1' },
        answer: { 'x-powered-by': '', 'x-internal-id': '', 'x-hidden': '' },
        sentFields: { 'x-debug': '' },
      },
    ],
  },
  {
    name: 'fields of the request',
    module: 'headers_more_filter',
    text: 'more_set_input_headers "X-Env: prod";\nmore_set_input_headers -r "Accept-Encoding: identity";',
    requests: [
      {
        fields: { 'Accept-Encoding': 'gzip' },
        sentFields: { 'x-env': 'prod', 'accept-encoding': 'identity' },
      },
      { sentFields: { 'accept-encoding': '' } },
    ],
  },
  {
    name: 'cookies made safe',
    text: 'proxy_cookie_path / "/; HttpOnly; Secure";',
    plain: true,
    requests: [{ answer: { 'set-cookie': 'sid=1; Path=/; HttpOnly; Secure' } }],
  },
  {
    name: 'redirects of the upstream',
    plain: true,
    text: 'proxy_redirect http:// https://;',
    requests: [{ upstream: 302, answer: { location: 'https://in.example/there' } }],
  },
  {
    name: 'a page for refusals',
    text: 'deny all;\nerror_page 403 https://www.example.com/denied;',
    plain: true,
    requests: [{ status: 302, location: 'https://www.example.com/denied' }],
  },
  {
    name: 'no log of probes',
    plain: true,
    text: 'access_log off;\nlog_not_found off;',
    unused: [2],
    requests: [{ status: 200 }],
  },
  {
    name: 'a connection closed without an answer',
    text: 'if ($http_x_probe) { return 444; }',
    plain: true,
    requests: [{ fields: { 'X-Probe': '1' }, status: 444 }, { status: 200 }],
  },
  {
    name: 'a character set, and comments',
    text: '# a comment; with { signs }\ncharset utf-8; # behind\n',
    plain: true,
    requests: [{ answer: { 'content-type': 'text/plain; charset=utf-8' } }],
  },
  ...refusedSnippets,
]

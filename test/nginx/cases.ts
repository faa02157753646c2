import type { Comparison } from './comparison.ts'

const get = [{}]

/** Annotations that plain nginx can say. */
export const comparisons: readonly Comparison[] = [
  {
    key: 'rewrite-target',
    name: 'groups, query, escapes',
    annotations: { 'rewrite-target': '/new/$1' },
    path: '/foo/(.*)',
    pathType: 'ImplementationSpecific',
    locations: 'location ~* "^/foo/(.*)" { rewrite "(?i)/foo/(.*)" /new/$1 break; @proxy }',
    requests: [
      { target: '/foo/bar?x=1&y=%2F' },
      { target: '/FOO/a%20b' },
      { target: '/foo/%C3%A9%23' },
      { target: '/foo/' },
      { target: '/other' },
    ],
  },
  {
    key: 'rewrite-target',
    name: 'a fixed target',
    annotations: { 'rewrite-target': '/fixed' },
    path: '/x',
    locations: 'location ~* "^/x" { rewrite "(?i)/x" /fixed break; @proxy }',
    requests: [{ target: '/x/y?z' }, { target: '/x' }],
  },
  {
    key: 'use-regex',
    name: 'no end anchor, any case',
    annotations: { 'use-regex': 'true' },
    path: '/id/[0-9]+',
    pathType: 'ImplementationSpecific',
    locations: 'location ~* "^/id/[0-9]+" { @proxy }',
    requests: [{ target: '/id/12' }, { target: '/ID/12abc' }, { target: '/id/x' }],
  },
  {
    key: 'x-forwarded-prefix',
    name: 'with a rewrite',
    annotations: { 'rewrite-target': '/r/$1', 'x-forwarded-prefix': '/shop' },
    path: '/p/(.*)',
    pathType: 'ImplementationSpecific',
    locations:
      'location ~* "^/p/(.*)" { rewrite "(?i)/p/(.*)" /r/$1 break; proxy_set_header X-Forwarded-Prefix "/shop"; @proxy }',
    requests: [{ target: '/p/q' }, { target: '/p/q', fields: { 'X-Forwarded-Prefix': '/evil' } }],
  },
  {
    key: 'app-root',
    name: 'the root alone',
    annotations: { 'app-root': '/app' },
    server: 'if ($uri = /) { return 302 $scheme://$http_host/app; }',
    requests: [{ target: '/' }, { target: '/?a=b' }, { target: '/x' }, { target: '//' }],
  },
  {
    key: 'permanent-redirect',
    name: 'a URL',
    annotations: { 'permanent-redirect': 'https://www.example.com/new' },
    location: 'return 301 https://www.example.com/new;',
    requests: [{ target: '/a?b' }, { method: 'POST', body: 'x' }],
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
    requests: [{ host: 'www.@', target: '/a?b' }, {}],
    http: 'server { listen @listen; server_name www.@host; return 308 $scheme://@host$request_uri; }',
  },
  {
    key: 'server-alias',
    name: 'another name',
    annotations: { 'server-alias': 'alias.server-alias.example' },
    server: 'server_name alias.server-alias.example;',
    requests: [{ host: 'alias.server-alias.example', target: '/x' }],
  },
  {
    key: 'upstream-vhost',
    name: 'a fixed host',
    annotations: { 'upstream-vhost': 'internal.example' },
    locations: 'location / { proxy_http_version 1.1; @proxyhost "internal.example"; }',
    requests: get,
  },
  {
    key: 'allowlist-source-range',
    name: 'others are refused',
    annotations: { 'allowlist-source-range': '10.0.0.0/8' },
    location: 'allow 10.0.0.0/8; deny all;',
    requests: get,
  },
  {
    key: 'allowlist-source-range',
    name: 'the client is in it',
    annotations: { 'allowlist-source-range': '10.0.0.0/8,127.0.0.1' },
    location: 'allow 10.0.0.0/8; allow 127.0.0.1; deny all;',
    requests: get,
  },
  {
    key: 'denylist-source-range',
    name: 'the deny list first',
    annotations: { 'denylist-source-range': '127.0.0.0/8', 'allowlist-source-range': '127.0.0.1' },
    location: 'deny 127.0.0.0/8; allow 127.0.0.1; deny all;',
    requests: get,
  },
  {
    key: 'auth-type',
    name: 'basic authentication',
    annotations: { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'Closed area' },
    location:
      'auth_basic "Closed area"; auth_basic_user_file @users; proxy_set_header Authorization "";',
    requests: [
      {},
      { fields: { Authorization: 'Basic dTpw' } },
      { fields: { Authorization: 'Basic dTpx' } },
      { fields: { Authorization: 'Basic !' } },
      { fields: { Authorization: 'Bearer dTpw' } },
    ],
  },
  {
    key: 'satisfy',
    name: 'any of list and password',
    annotations: {
      satisfy: 'any',
      'allowlist-source-range': '10.0.0.0/8',
      'auth-type': 'basic',
      'auth-secret': 'users',
      'auth-realm': 'r',
    },
    location:
      'satisfy any; allow 10.0.0.0/8; deny all; auth_basic "r"; auth_basic_user_file @users; proxy_set_header Authorization "";',
    requests: [{}, { fields: { Authorization: 'Basic dTpw' } }],
  },
  {
    key: 'satisfy',
    name: 'any, where the list lets the client in',
    annotations: {
      satisfy: 'any',
      'allowlist-source-range': '127.0.0.1',
      'auth-type': 'basic',
      'auth-secret': 'users',
      'auth-realm': 'r',
    },
    location:
      'satisfy any; allow 127.0.0.1; deny all; auth_basic "r"; auth_basic_user_file @users; proxy_set_header Authorization "";',
    requests: [{}],
  },
  ...[200, 204, 401, 403, 500].map((status) => ({
    key: 'auth-url',
    name: `the service answers ${status}`,
    annotations: {
      'auth-url': `http://@upstream/auth/${status}`,
      'auth-response-headers': 'X-User',
    },
    location:
      'auth_request /_auth; auth_request_set $user $upstream_http_x_user; proxy_set_header X-User $user;',
    server: `location = /_auth { internal; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass http://@upstream/auth/${status}; }`,
    requests: [{ target: '/x' }, { target: '/x', fields: { 'X-User': 'forged' } }],
  })),
  {
    key: 'auth-signin',
    name: 'where to sign in',
    annotations: {
      'auth-url': 'http://@upstream/auth/401',
      'auth-signin': 'https://login.example/start',
    },
    location: 'auth_request /_auth; error_page 401 = @signin;',
    server:
      'location = /_auth { internal; proxy_pass_request_body off; proxy_pass http://@upstream/auth/401; } location @signin { return 302 https://login.example/start?rd=$scheme://$http_host%2Fx; }',
    requests: [{ target: '/x' }],
  },
  {
    key: 'proxy-body-size',
    name: 'a limit',
    annotations: { 'proxy-body-size': '1k' },
    location: 'client_max_body_size 1k;',
    requests: [
      { method: 'POST', body: 'x'.repeat(1024) },
      { method: 'POST', body: 'x'.repeat(1025) },
      { method: 'POST', body: 'x'.repeat(1025), fields: { 'Transfer-Encoding': 'chunked' } },
    ],
  },
  {
    key: 'proxy-body-size',
    name: 'none',
    annotations: { 'proxy-body-size': '0' },
    location: 'client_max_body_size 0;',
    requests: [{ method: 'POST', body: 'x'.repeat(2_000_000) }],
  },
  {
    key: 'proxy-read-timeout',
    name: 'an upstream that says nothing',
    annotations: { 'proxy-read-timeout': '1', 'proxy-next-upstream-tries': '1' },
    location: 'proxy_read_timeout 1s;',
    requests: [{ upstream: { waitMs: 2500 } }, {}],
  },
  {
    key: 'proxy-cookie-path',
    name: 'the beginning is replaced',
    annotations: { 'proxy-cookie-path': '/one/ /' },
    location: 'proxy_cookie_path /one/ /;',
    requests: [
      { upstream: { fields: { 'Set-Cookie': 'a=b; Path=/one/two; HttpOnly' } } },
      { upstream: { fields: { 'Set-Cookie': 'a=b; Path=/other' } } },
      { upstream: { fields: { 'Set-Cookie': 'Path=/one/; path=/one/' } } },
    ],
  },
  {
    key: 'proxy-cookie-domain',
    name: 'a domain is replaced',
    annotations: { 'proxy-cookie-domain': 'in.example out.example' },
    location: 'proxy_cookie_domain in.example out.example;',
    requests: [
      { upstream: { fields: { 'Set-Cookie': 'a=b; Domain=in.example' } } },
      { upstream: { fields: { 'Set-Cookie': 'a=b; domain=.IN.example; Secure' } } },
      { upstream: { fields: { 'Set-Cookie': 'a=b; Domain=x.in.example' } } },
    ],
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
    key: 'limit-rps',
    name: 'a burst',
    annotations: { 'limit-rps': '1' },
    http: 'limit_req_zone $binary_remote_addr$host zone=@id:1m rate=1r/s;',
    location: 'limit_req zone=@id burst=5 nodelay;',
    requests: [{ times: 12 }],
  },
  {
    key: 'limit-rpm',
    name: 'a burst, multiplied',
    annotations: { 'limit-rpm': '2', 'limit-burst-multiplier': '2' },
    http: 'limit_req_zone $binary_remote_addr$host zone=@id:1m rate=2r/m;',
    location: 'limit_req zone=@id burst=4 nodelay;',
    requests: [{ times: 9 }],
  },
  {
    key: 'limit-connections',
    name: 'requests at once',
    annotations: { 'limit-connections': '2' },
    http: 'limit_conn_zone $binary_remote_addr$host zone=@id:1m;',
    location: 'limit_conn @id 2;',
    requests: [{ times: 5, atOnce: true, upstream: { waitMs: 1500 } }],
  },
  {
    key: 'enable-cors',
    name: 'the defaults',
    annotations: { 'enable-cors': 'true' },
    location: `if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin * always;
        add_header Access-Control-Allow-Credentials true always;
        add_header Access-Control-Allow-Methods "GET, PUT, POST, DELETE, PATCH, OPTIONS" always;
        add_header Access-Control-Allow-Headers "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization" always;
        add_header Access-Control-Max-Age 1728000 always;
        return 204;
      }
      add_header Access-Control-Allow-Origin * always;
      add_header Access-Control-Allow-Credentials true always;
      add_header Access-Control-Allow-Methods "GET, PUT, POST, DELETE, PATCH, OPTIONS" always;
      add_header Access-Control-Allow-Headers "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization" always;
      add_header Access-Control-Max-Age 1728000 always;`,
    requests: [
      { method: 'OPTIONS', fields: { Origin: 'https://a.example' } },
      { fields: { Origin: 'https://a.example' } },
      { upstream: { status: 500 } },
    ],
  },
  {
    key: 'custom-headers',
    name: 'fields of a ConfigMap',
    annotations: { 'custom-headers': 'test/fields' },
    location: 'add_header X-Custom "one two" always;',
    requests: [{}, { upstream: { status: 404 } }],
  },
  {
    key: 'proxy-http-version',
    name: '1.0',
    annotations: { 'proxy-http-version': '1.0' },
    locations: 'location / { @proxyplain proxy_http_version 1.0; proxy_pass http://@upstream; }',
    requests: get,
  },
]

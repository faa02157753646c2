import type { Comparison, Group } from '../comparison.ts'

/** The location that asks, as `nginx.tmpl` has it. */
export function asking(url: string, more = ''): string {
  const lines = [
    'proxy_set_header X-Auth-Request-Redirect $request_uri;',
    'proxy_buffering off;',
  ].filter((line) => !more.includes(line.split(' $')[0]?.replace(' off;', '') ?? ''))
  return `location = /_auth {
      internal;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Forwarded-Proto "";
      proxy_set_header X-Request-ID $req_id;
      proxy_set_header Host 127.0.0.1;
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Sent-From "nginx-ingress-controller";
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_http_version 1.1;
      ${lines.join(' ')} ${more}
      set $target "${url}";
      proxy_pass $target;
    }`
}

export const service = 'http://127.0.0.1:@port:echo/auth'
/** In the location: the cookie of the service goes to the client. */
export const authenticated =
  'auth_request /_auth; auth_request_set $auth_cookie $upstream_http_set_cookie; add_header Set-Cookie $auth_cookie;'

function signIn(url: string): Partial<Comparison> {
  return {
    modules: ['set_misc'],
    location: `${authenticated} set_escape_uri $escaped_request_uri $request_uri; error_page 401 = @signin;`,
    server: `${asking(`${service}/401?cookie`)} location @signin { internal; add_header Set-Cookie $auth_cookie; return 302 ${url}; }`,
  }
}

const targets = [
  { target: '/x' },
  { target: '/?a=b&c=d' },
  { target: "/a%20b/~'(é)*!;:@$,".replace('é', '%C3%A9') },
]

const cached = `set $tmp_cache_key '@host/_auth-key'; proxy_cache auth_cache; proxy_cache_key "$tmp_cache_key$cache_part"; proxy_buffering on;`

/** Requests that another service decides on. */
export const externalAuth: Group = {
  name: 'external authentication',
  comparisons: [
    ...[200, 204, 299, 302, 401, 403, 404, 500].map((status) => ({
      key: 'auth-url',
      name: `the service answers ${status}`,
      annotations: { 'auth-url': `${service}/${status}` },
      location: authenticated,
      server: asking(`${service}/${status}`),
      requests: [
        { target: '/x?y' },
        { method: 'POST', body: 'abc', fields: { Cookie: 'a=b', Authorization: 'Bearer t' } },
        { upstream: { status: 404 } },
      ],
    })),
    {
      key: 'auth-url',
      name: 'variables in it',
      apart: { fields: [':target'], why: 'the request to the service has no query in nginx' },
      annotations: { 'auth-url': `${service}/200?h=$host&t=$arg_t` },
      location: authenticated,
      server: asking(`${service}/200?h=$host&t=$arg_t`),
      requests: [{ target: '/x?t=1' }],
    },
    {
      key: 'auth-url',
      name: 'variables of the request',
      annotations: { 'auth-url': `${service}/200?h=$host&c=$cookie_sid&r=$request_uri` },
      location: authenticated,
      server: asking(`${service}/200?h=$host&c=$cookie_sid&r=$request_uri`),
      requests: [{ target: '/x', fields: { Cookie: 'a=b; sid=1' } }],
    },
    {
      key: 'auth-url',
      name: 'nobody answers',
      annotations: { 'auth-url': 'http://127.0.0.1:@port:refusing/' },
      location: authenticated,
      server: asking('http://127.0.0.1:@port:refusing/'),
      requests: [{}],
    },
    {
      key: 'auth-method',
      name: 'POST',
      annotations: { 'auth-url': `${service}/200`, 'auth-method': 'POST' },
      location: authenticated,
      server: asking(
        `${service}/200`,
        'proxy_method POST; proxy_set_header X-Original-URI $request_uri; proxy_set_header X-Scheme $scheme;',
      ),
      requests: [{ target: '/x?y' }, { method: 'PUT', body: 'abc' }],
    },
    {
      key: 'auth-response-headers',
      name: 'one that the service sends, and one that it does not',
      annotations: {
        'auth-url': `${service}/200`,
        'auth-response-headers': 'X-User, X-Missing',
      },
      location: `${authenticated} auth_request_set $authHeader0 $upstream_http_x_user; proxy_set_header 'X-User' $authHeader0; auth_request_set $authHeader1 $upstream_http_x_missing; proxy_set_header 'X-Missing' $authHeader1;`,
      server: asking(`${service}/200`),
      requests: [{}, { fields: { 'X-User': 'forged', 'X-Missing': 'forged' } }],
    },
    {
      key: 'auth-request-redirect',
      name: 'text with a variable',
      annotations: {
        'auth-url': `${service}/200`,
        'auth-request-redirect': 'https://a.example$request_uri',
      },
      location: authenticated,
      server: asking(
        `${service}/200`,
        'proxy_set_header X-Auth-Request-Redirect https://a.example$request_uri;',
      ),
      requests: [{ target: '/x?y' }],
    },
    {
      key: 'auth-proxy-set-headers',
      name: 'fields of a ConfigMap',
      annotations: { 'auth-url': `${service}/200`, 'auth-proxy-set-headers': 'asking' },
      location: authenticated,
      server: asking(
        `${service}/200`,
        'proxy_set_header "X-Host" "$host"; proxy_set_header "X-Tenant" "wonder";',
      ),
      requests: [{}, { fields: { 'X-Tenant': 'mine' } }],
    },
    {
      key: 'auth-always-set-cookie',
      name: 'also where the upstream fails',
      annotations: { 'auth-url': `${service}/200?cookie`, 'auth-always-set-cookie': 'true' },
      location: authenticated.replace('Cookie $auth_cookie;', 'Cookie $auth_cookie always;'),
      server: asking(`${service}/200?cookie`),
      requests: [{}, { upstream: { status: 503 } }],
    },
    {
      key: 'auth-always-set-cookie',
      name: 'off',
      annotations: { 'auth-url': `${service}/200?cookie` },
      location: authenticated,
      server: asking(`${service}/200?cookie`),
      requests: [{}, { upstream: { status: 404 } }, { upstream: { status: 503 } }],
    },
    ...[401, 403, 500].flatMap((status) =>
      ['false', 'true'].map((always) => ({
        key: 'auth-always-set-cookie',
        name: `${always}, where the service answers ${status}`,
        annotations: {
          'auth-url': `${service}/${status}?cookie`,
          'auth-always-set-cookie': always,
        },
        location:
          always === 'true'
            ? authenticated.replace('Cookie $auth_cookie;', 'Cookie $auth_cookie always;')
            : authenticated,
        server: asking(`${service}/${status}?cookie`),
        requests: [{}],
      })),
    ),
    {
      key: 'auth-signin',
      name: 'where to sign in',
      annotations: {
        'auth-url': `${service}/401?cookie`,
        'auth-signin': 'https://login.example/start',
      },
      ...signIn('https://login.example/start?rd=$scheme://$http_host$escaped_request_uri'),
      requests: [...targets, { method: 'POST', body: 'x' }],
    },
    {
      key: 'auth-signin',
      name: 'a query of its own, and variables',
      annotations: {
        'auth-url': `${service}/401?cookie`,
        'auth-signin': 'http://$host/auth/start?x=1',
      },
      ...signIn('http://$host/auth/start?x=1&rd=$scheme://$http_host$escaped_request_uri'),
      requests: targets,
    },
    {
      key: 'auth-signin',
      name: 'what the client asked for is in it',
      annotations: {
        'auth-url': `${service}/401?cookie`,
        'auth-signin': 'https://login.example/start?from=$request_uri',
      },
      ...signIn(
        'https://login.example/start?from=$request_uri&rd=$scheme://$http_host$escaped_request_uri',
      ),
      requests: [{ target: '/?a&rd=b' }],
    },
    {
      key: 'auth-signin-redirect-param',
      name: 'another name',
      annotations: {
        'auth-url': `${service}/401?cookie`,
        'auth-signin': 'https://login.example/start',
        'auth-signin-redirect-param': 'back',
      },
      ...signIn('https://login.example/start?back=$scheme://$http_host$escaped_request_uri'),
      requests: targets,
    },
    {
      key: 'auth-signin-redirect-param',
      name: 'one that the address has already',
      annotations: {
        'auth-url': `${service}/401?cookie`,
        'auth-signin': 'https://login.example/start?back=home',
        'auth-signin-redirect-param': 'back',
      },
      ...signIn('https://login.example/start?back=home'),
      requests: [{ target: '/x' }],
    },
    {
      key: 'auth-cache-key',
      name: 'one answer for a value of the key',
      annotations: {
        'auth-url': `${service}/200`,
        'auth-cache-key': '$http_x_key',
        'auth-response-headers': 'X-User',
      },
      location: `${authenticated} auth_request_set $authHeader0 $upstream_http_x_user; proxy_set_header 'X-User' $authHeader0;`,
      server: asking(
        `${service}/200`,
        `set $cache_part $http_x_key; ${cached} proxy_cache_valid 200 202 401 5m;`,
      ),
      requests: [
        { fields: { 'X-Key': 'a' }, times: 3 },
        { fields: { 'X-Key': 'b' } },
        { fields: { 'X-Key': 'a' }, target: '/other' },
      ],
    },
    ...[
      'cookie',
      'field=Cache-Control:no-cache',
      'field=Cache-Control:max-age=0',
      'field=Expires:0',
      'field=X-Accel-Expires:0',
      'field=Vary:*',
      'field=Vary:Cookie',
    ].map((query) => ({
      key: 'auth-cache-key',
      name: `the service has a say: ${query}`,
      annotations: { 'auth-url': `${service}/200?${query}`, 'auth-cache-key': '$http_x_key' },
      location: authenticated,
      server: asking(
        `${service}/200?${query}`,
        `set $cache_part $http_x_key; ${cached} proxy_cache_valid 200 202 401 5m;`,
      ),
      requests: [
        { fields: { 'X-Key': 'a' }, times: 2 },
        { fields: { 'X-Key': 'a', Cookie: 'a=b' }, times: 2 },
        { fields: { 'X-Key': 'a' } },
      ],
    })),
    {
      key: 'auth-cache-duration',
      name: 'a status that it does not name, and a service that has a say',
      annotations: {
        'auth-url': `${service}/403?field=Cache-Control:max-age=100`,
        'auth-cache-key': '$http_x_key',
      },
      location: authenticated,
      server: asking(
        `${service}/403?field=Cache-Control:max-age=100`,
        `set $cache_part $http_x_key; ${cached} proxy_cache_valid 200 202 401 5m;`,
      ),
      requests: [{ fields: { 'X-Key': 'a' }, times: 3 }],
    },
    {
      key: 'auth-cache-duration',
      name: 'only the statuses that it names',
      annotations: {
        'auth-url': `${service}/403`,
        'auth-cache-key': '$http_x_key',
        'auth-cache-duration': '200 1m, 403 10m',
      },
      location: authenticated,
      server: asking(
        `${service}/403`,
        `set $cache_part $http_x_key; ${cached} proxy_cache_valid 200 1m; proxy_cache_valid 403 10m;`,
      ),
      requests: [{ fields: { 'X-Key': 'a' }, times: 3 }, { fields: { 'X-Key': 'b' } }],
    },
    {
      key: 'auth-cache-duration',
      name: 'a status that it does not name',
      annotations: {
        'auth-url': `${service}/401`,
        'auth-cache-key': '$http_x_key',
        'auth-cache-duration': '200 1m',
      },
      location: authenticated,
      server: asking(
        `${service}/401`,
        `set $cache_part $http_x_key; ${cached} proxy_cache_valid 200 1m;`,
      ),
      requests: [{ fields: { 'X-Key': 'a' }, times: 2 }],
    },
    {
      key: 'auth-snippet',
      name: 'fields for the service',
      annotations: {
        'auth-url': `${service}/200`,
        'auth-snippet':
          'proxy_set_header X-Tenant $http_x_tenant;\nproxy_set_header X-Fixed "a b";\nproxy_set_header Cookie "";',
      },
      location: authenticated,
      server: asking(
        `${service}/200`,
        'proxy_set_header X-Tenant $http_x_tenant;\nproxy_set_header X-Fixed "a b";\nproxy_set_header Cookie "";',
      ),
      requests: [{ fields: { 'X-Tenant': 't', Cookie: 'a=b' } }, {}],
    },
    {
      key: 'satisfy',
      name: 'any of users and the service',
      annotations: {
        'auth-url': `${service}/401`,
        satisfy: 'any',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      location: `${authenticated} satisfy any; auth_basic "r"; auth_basic_user_file @folder/users; proxy_set_header Authorization "";`,
      server: asking(`${service}/401`),
      requests: [{}, { fields: { Authorization: 'Basic dTpw' } }],
    },
    ...[403, 500].map((status) => ({
      key: 'satisfy',
      name: `any of list, users and the service, which answers ${status}`,
      annotations: {
        'auth-url': `${service}/${status}`,
        satisfy: 'any',
        'denylist-source-range': '127.0.0.1',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      location: `${authenticated} satisfy any; deny 127.0.0.1; auth_basic "r"; auth_basic_user_file @folder/users; proxy_set_header Authorization "";`,
      server: asking(`${service}/${status}`),
      requests: [{}, { fields: { Authorization: 'Basic dTpw' } }],
    })),
    {
      key: 'satisfy',
      name: 'any: what the service lets in keeps no Authorization either',
      annotations: {
        'auth-url': `${service}/200`,
        satisfy: 'any',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      location: `${authenticated} satisfy any; auth_basic "r"; auth_basic_user_file @folder/users; proxy_set_header Authorization "";`,
      server: asking(`${service}/200`),
      requests: [
        { fields: { Authorization: 'Bearer dTpw' } },
        { fields: { Authorization: 'Basic xx' } },
      ],
    },
    {
      key: 'auth-response-headers',
      name: 'Authorization beside users',
      annotations: {
        'auth-url': `${service}/200?field=Authorization:Basic%20abc`,
        'auth-response-headers': 'Authorization',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      location: `${authenticated} auth_request_set $authHeader0 $upstream_http_authorization; proxy_set_header 'Authorization' $authHeader0; auth_basic "r"; auth_basic_user_file @folder/users; proxy_set_header Authorization "";`,
      server: asking(`${service}/200?field=Authorization:Basic%20abc`),
      requests: [{ fields: { Authorization: 'Basic dTpw' } }],
    },
  ],
}

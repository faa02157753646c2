import type { Comparison, Group } from '../comparison.ts'

const get = [{}]
const presets = {
  methods: 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
  headers:
    'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
  age: '1728000',
  expose: '',
  credentials: true,
  origin: '*',
}

/** The part of `nginx.tmpl` that answers for other origins. */
function cors(own: Partial<typeof presets>): Partial<Comparison> {
  const { methods, headers, age, expose, credentials, origin } = { ...presets, ...own }
  const matching =
    origin === '*'
      ? `set $cors 'true'; set $cors_origin *;`
      : `set $cors_origin $http_origin; if ($http_origin ~* (${origin})$ ) { set $cors 'true'; }`
  const fields = `more_set_headers 'Access-Control-Allow-Origin: $cors_origin';
        ${credentials ? `more_set_headers 'Access-Control-Allow-Credentials: true';` : ''}
        more_set_headers 'Access-Control-Allow-Methods: ${methods}';
        more_set_headers 'Access-Control-Allow-Headers: ${headers}';
        ${expose === '' ? '' : `more_set_headers 'Access-Control-Expose-Headers: ${expose}';`}
        more_set_headers 'Access-Control-Max-Age: ${age}';`
  return {
    modules: ['headers_more_filter'],
    location: `set $cors ''; ${matching}
      if ($request_method = 'OPTIONS') { set $cors \${cors}options; }
      if ($cors = "true") { ${fields} }
      if ($cors = "trueoptions") { ${fields}
        more_set_headers 'Content-Type: text/plain charset=UTF-8';
        more_set_headers 'Content-Length: 0';
        return 204;
      }`,
  }
}

const preflight = {
  method: 'OPTIONS',
  fields: { Origin: 'https://a.example', 'Access-Control-Request-Method': 'PUT' },
}
const origins = [
  'https://a.example',
  'https://x.b.example:8443',
  'https://x.b.example',
  'https://y.x.b.example:8443',
  'HTTPS://A.EXAMPLE',
  'https://a.example.evil',
  'http://a.example',
]
const both = [preflight, { fields: { Origin: 'https://a.example' } }]

/** Fields of requests and answers. */
export const fields: Group = {
  name: 'fields, cookies, other origins',
  comparisons: [
    {
      key: 'enable-cors',
      name: 'the defaults',
      annotations: { 'enable-cors': 'true' },
      ...cors({}),
      requests: [
        ...both,
        {},
        { method: 'OPTIONS' },
        { upstream: { status: 500 } },
        { upstream: { fields: { 'Access-Control-Allow-Origin': 'https://mine.example' } } },
      ],
    },
    {
      key: 'enable-cors',
      name: 'a refusal has the fields, too',
      annotations: {
        'enable-cors': 'true',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      modules: ['headers_more_filter'],
      location: `${cors({}).location} auth_basic "r"; auth_basic_user_file @folder/users;`,
      requests: both,
    },
    {
      key: 'cors-allow-origin',
      name: 'a list, with one label for any',
      apart: {
        fields: ['vary'],
        why: 'answers that differ by origin must say so to caches (RFC 9110 12.5.5)',
      },
      annotations: {
        'enable-cors': 'true',
        'cors-allow-origin': 'https://a.example, https://*.b.example:8443',
      },
      ...cors({
        origin: String.raw`(https://a\.example)|(https://[A-Za-z0-9\-]+\.b\.example:8443)`,
      }),
      requests: origins.flatMap((Origin) => [
        { fields: { Origin } },
        { method: 'OPTIONS', fields: { Origin } },
      ]),
    },
    {
      key: 'cors-allow-methods',
      name: 'some',
      annotations: { 'enable-cors': 'true', 'cors-allow-methods': 'GET, POST' },
      ...cors({ methods: 'GET, POST' }),
      requests: both,
    },
    {
      key: 'cors-allow-headers',
      name: 'some',
      annotations: { 'enable-cors': 'true', 'cors-allow-headers': 'X-Token, X-Other' },
      ...cors({ headers: 'X-Token, X-Other' }),
      requests: both,
    },
    {
      key: 'cors-allow-credentials',
      name: 'no',
      annotations: { 'enable-cors': 'true', 'cors-allow-credentials': 'false' },
      ...cors({ credentials: false }),
      requests: both,
    },
    {
      key: 'cors-expose-headers',
      name: 'some',
      annotations: { 'enable-cors': 'true', 'cors-expose-headers': 'X-Total, X-Page' },
      ...cors({ expose: 'X-Total, X-Page' }),
      requests: both,
    },
    {
      key: 'cors-max-age',
      name: 'ten minutes',
      annotations: { 'enable-cors': 'true', 'cors-max-age': '600' },
      ...cors({ age: '600' }),
      requests: both,
    },
    {
      key: 'proxy-buffering',
      name: 'what upstreams say to nginx',
      annotations: {},
      requests: [
        {
          upstream: {
            fields: {
              'X-Accel-Buffering': 'no',
              'X-Accel-Charset': 'utf-8',
              'X-Accel-Expires': '0',
              'X-Pad': 'avoid browser bug',
              'X-Accel': 'passes',
            },
          },
        },
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
      key: 'custom-headers',
      name: 'a dollar is a dollar, and the field of the upstream is replaced',
      annotations: { 'custom-headers': 'test/dollars' },
      modules: ['headers_more_filter'],
      http: 'geo $dollar_@id { default "$"; }',
      location:
        'more_set_headers "X-Custom: ${dollar_@id}remote_addr"; more_set_headers "X-Powered-By: us";',
      requests: [{ upstream: { fields: { 'X-Powered-By': 'php' } } }],
    },
    {
      key: 'proxy-cookie-path',
      name: 'the beginning is replaced',
      annotations: { 'proxy-cookie-path': '/one/ /' },
      location: 'proxy_cookie_path /one/ /;',
      requests: [
        'a=b; Path=/one/two; HttpOnly',
        'a=b; Path=/other',
        'Path=/one/; path=/one/',
        'a=b; path = /one/x',
        'a=b;Path=/one/',
        'a=b; Path=/ONE/',
      ].map((cookie) => ({ upstream: { fields: { 'Set-Cookie': cookie } } })),
    },
    {
      key: 'proxy-cookie-path',
      name: 'several cookies',
      annotations: { 'proxy-cookie-path': '/ /app/' },
      location: 'proxy_cookie_path / /app/;',
      requests: [
        { upstream: { fields: { 'Set-Cookie': ['a=b; Path=/', 'c=d; Path=/x; Secure', 'e=f'] } } },
      ],
    },
    {
      key: 'proxy-cookie-domain',
      name: 'a domain is replaced',
      annotations: { 'proxy-cookie-domain': 'in.example out.example' },
      location: 'proxy_cookie_domain in.example out.example;',
      requests: [
        'a=b; Domain=in.example',
        'a=b; domain=.IN.example; Secure',
        'a=b; Domain=x.in.example',
        'a=b; Domain=in.example.org',
      ].map((cookie) => ({ upstream: { fields: { 'Set-Cookie': cookie } } })),
    },
    {
      key: 'enable-access-log',
      name: 'the request is served all the same',
      annotations: { 'enable-access-log': 'false' },
      location: 'access_log off;',
      requests: get,
    },
  ],
}

import type { Group } from '../comparison.ts'

const context = `proxy_set_header X-Format $http_accept;
      proxy_set_header X-Namespace test;
      proxy_set_header X-Ingress-Name @name;
      proxy_set_header X-Service-Name @service;
      proxy_set_header X-Service-Port 80;
      proxy_set_header X-Request-ID $req_id;`

/** What pages and copies get beside what nginx gives them. */
const told =
  'x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-scheme x-real-ip x-scheme x-original-forwarded-for'.split(
    ' ',
  )
const asPage = {
  fields: [...told, ':method', ':body'],
  why: 'a page is asked for with GET, without the body, and is told of the client what upstreams are',
}
const asCopy = {
  fields: [...told, 'x-forwarded-for', 'x-request-id'],
  why: 'a copy has what the upstream is told, X-Forwarded-For and X-Request-ID among it',
}

/** The location that asks a default backend for the page of a status. */
function page(status: number): string {
  return `location @custom_${status} {
      internal;
      proxy_intercept_errors off;
      proxy_set_header X-Code ${status};
      proxy_set_header X-Original-URI $request_uri;
      ${context.replace('@service', 'echo')}
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Host $http_host;
      rewrite (.*) / break;
      proxy_pass http://sorry;
    }`
}

const asked = [
  { target: '/a?b=c', fields: { Accept: 'text/html' }, upstream: { status: 404, body: 'own' } },
  { upstream: { status: 503, fields: { 'X-Of-Upstream': '1' } } },
  { upstream: { status: 500, body: 'own' } },
  { method: 'POST', body: 'abc', upstream: { status: 404 } },
  { method: 'HEAD', upstream: { status: 404 } },
  {},
]

/** Pages for failures. */
export const errors: Group = {
  name: 'pages of failures',
  defaultBackend: true,
  comparisons: [
    {
      key: 'custom-http-errors',
      name: 'pages of the default backend',
      apart: asPage,
      annotations: { 'custom-http-errors': '404,503', 'default-backend': 'sorry' },
      location:
        'proxy_intercept_errors on; error_page 404 = @custom_404; error_page 503 = @custom_503;',
      server: `${page(404)} ${page(503)}`,
      requests: asked,
    },
    {
      key: 'custom-http-errors',
      name: 'pages of the one for all',
      apart: asPage,
      annotations: { 'custom-http-errors': '404,503' },
      location:
        'proxy_intercept_errors on; error_page 404 = @custom_404; error_page 503 = @custom_503;',
      server: `${page(404)} ${page(503)}`,
      requests: asked,
    },
    {
      key: 'custom-http-errors',
      name: 'answers of our own, too',
      apart: asPage,
      annotations: {
        'custom-http-errors': '401,413,502',
        'default-backend': 'sorry',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
        'proxy-body-size': '1k',
      },
      location:
        'proxy_intercept_errors on; error_page 401 = @custom_401; error_page 413 = @custom_413; error_page 502 = @custom_502; auth_basic "r"; auth_basic_user_file @folder/users; client_max_body_size 1k;',
      server: `${page(401)} ${page(413)} ${page(502)}`,
      requests: [{}, { method: 'POST', body: 'x'.repeat(2000) }],
    },
    {
      key: 'custom-http-errors',
      name: 'an upstream that does not answer',
      apart: asPage,
      annotations: { 'custom-http-errors': '502', 'default-backend': 'sorry' },
      service: 'refusing',
      location: 'proxy_intercept_errors on; error_page 502 = @custom_502;',
      server: page(502).replace('X-Service-Name echo', 'X-Service-Name refusing'),
      requests: [{}],
    },
    {
      key: 'disable-proxy-intercept-errors',
      name: 'answers of upstreams pass',
      apart: asPage,
      annotations: {
        'custom-http-errors': '404,413',
        'default-backend': 'sorry',
        'disable-proxy-intercept-errors': 'true',
        'proxy-body-size': '1k',
      },
      location:
        'error_page 404 = @custom_404; error_page 413 = @custom_413; client_max_body_size 1k;',
      server: `${page(404)} ${page(413)}`,
      requests: [
        { upstream: { status: 404, body: 'own' } },
        { method: 'POST', body: 'x'.repeat(2000) },
      ],
    },
    {
      key: 'default-backend',
      name: 'no endpoint',
      annotations: { 'default-backend': 'sorry' },
      service: 'empty',
      pass: 'proxy_pass http://sorry;',
      location: `proxy_set_header X-Code 503; ${context.replace('@service', 'empty')}`,
      requests: [{ target: '/a?b=c' }, { method: 'POST', body: 'abc' }],
    },
    {
      key: 'default-backend',
      name: 'endpoints, so that it has nothing to do',
      annotations: { 'default-backend': 'sorry' },
      requests: [{}, { upstream: { status: 503 } }],
    },
  ],
}

function copy(target: string, host: string): string {
  return `location = /_mirror { internal; proxy_set_header Host "${host}"; proxy_pass "${target}"; }`
}

const bodies = [
  { target: '/a?b=c', fields: { 'X-Forwarded-For': '192.0.2.1', Cookie: 'a=b' } },
  { method: 'POST', body: 'abc' },
  { method: 'HEAD', target: '/%C3%A9' },
  { upstream: { status: 404 } },
]

/** Copies of requests. */
export const mirrors: Group = {
  name: 'mirrors',
  comparisons: [
    {
      key: 'mirror-target',
      name: 'the same path and query',
      apart: asCopy,
      annotations: { 'mirror-target': 'http://127.0.0.1:@port:mirror$request_uri' },
      location: 'mirror /_mirror; mirror_request_body on;',
      server: copy('http://127.0.0.1:@port:mirror$request_uri', '127.0.0.1'),
      requests: bodies,
    },
    {
      key: 'mirror-request-body',
      name: 'off',
      apart: asCopy,
      annotations: {
        'mirror-target': 'http://127.0.0.1:@port:mirror$request_uri',
        'mirror-request-body': 'off',
      },
      location: 'mirror /_mirror; mirror_request_body off;',
      server: copy('http://127.0.0.1:@port:mirror$request_uri', '127.0.0.1'),
      requests: bodies,
    },
    {
      key: 'mirror-host',
      name: 'a name for the copies',
      apart: asCopy,
      annotations: {
        'mirror-target': 'http://127.0.0.1:@port:mirror/fixed?h=$host',
        'mirror-host': 'copies.example',
      },
      location: 'mirror /_mirror; mirror_request_body on;',
      server: copy('http://127.0.0.1:@port:mirror/fixed?h=$host', 'copies.example'),
      requests: bodies,
    },
  ],
}

const hashed = Array.from({ length: 24 }, (_, i) => ({ target: `/k${i}`, times: 4 }))

/** Which endpoint is asked. */
export const balancing: Group = {
  name: 'balancing',
  comparisons: [
    {
      key: 'load-balance',
      name: 'round robin is even',
      annotations: { 'load-balance': 'round_robin' },
      service: 'trio',
      spread: true,
      requests: [{ times: 30 }],
    },
    {
      key: 'upstream-hash-by',
      name: 'each key has its endpoint',
      annotations: { 'upstream-hash-by': '$request_uri' },
      service: 'trio',
      http: 'upstream hashed_@id { hash $request_uri consistent; server 127.0.0.1:@port:echo; server 127.0.0.1:@port:second; server 127.0.0.1:@port:third; }',
      pass: 'proxy_pass http://hashed_@id;',
      spread: true,
      requests: hashed,
    },
  ],
}

import type { Group } from '../comparison.ts'

const context = `proxy_set_header X-Format $http_accept;
      proxy_set_header X-Namespace test;
      proxy_set_header X-Ingress-Name @name;
      proxy_set_header X-Service-Name @service;
      proxy_set_header X-Service-Port 80;
      proxy_set_header X-Request-ID $req_id;`

/** What pages and copies get beside what nginx gives them. */
export const told =
  'x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-scheme x-real-ip x-scheme x-original-forwarded-for'.split(
    ' ',
  )
const asPage = {
  fields: [...told, ':method', ':body'],
  why: 'a page is asked for with GET, without the body, and is told of the client what upstreams are',
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

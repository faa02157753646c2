import type { Comparison, Group } from '../comparison.ts'

const variables = [
  '$http_x_case',
  '$uri',
  '$document_uri',
  '$args',
  '$query_string',
  '$arg_q',
  '$request_uri',
  '[$cookie_sid]',
  '[$cookie_x]',
  '$proxy_add_x_forwarded_for',
  '$upstream_status',
  '$upstream_response_length',
  '$sent_http_content_length',
  '$sent_http_transfer_encoding',
  '$sent_http_cache_control',
].join('|')

const length = { 'Content-Length': '6' }
const plain = { upstream: { fields: length } }
const shown = `add_header X-Groups "[$1][$2]" always; add_header X-Uri "$uri $args $arg_w" always;
  set $kept $1; add_header X-Kept "[$kept]" always; proxy_set_header X-Group $1;`
const regex = { path: '/a/(.*)/(.*)', pathType: 'ImplementationSpecific' } as const

const behindRewrites: readonly Comparison[] = [
  {
    key: 'use-regex',
    name: 'groups of the path in a snippet',
    annotations: { 'use-regex': 'true', 'configuration-snippet': shown },
    ...regex,
    locations: `location ~* "^/a/(.*)/(.*)" { ${shown} @proxy }`,
    requests: [{ ...plain, target: '/a/b/c?q=1' }],
  },
  {
    key: 'rewrite-target',
    name: 'groups, path and query as they are behind it',
    annotations: { 'rewrite-target': '/$2?w=$1', 'configuration-snippet': shown },
    ...regex,
    locations: `location ~* "^/a/(.*)/(.*)" { ${shown} rewrite "(?i)/a/(.*)/(.*)" "/$2?w=$1" break; @proxy }`,
    requests: [
      { ...plain, target: '/a/b/c%20d?q=1' },
      { ...plain, target: '/A/b/c' },
    ],
  },
  {
    key: 'configuration-snippet',
    name: 'path and query in the log',
    annotations: { 'configuration-snippet': 'rewrite ^/a/(.*)$ /z/$1?q=2 last;' },
    location: 'rewrite ^/a/(.*)$ /z/$1?q=2 last;',
    requests: [
      { ...plain, target: '/a/b?x=1' },
      { ...plain, target: '/b?x=1' },
    ],
  },
]

const ofAnswer = `proxy_hide_header X-Other; more_set_headers "X-Of: changed"; set $early "$upstream_status";
  add_header X-Seen "[$early] $upstream_status $status [$upstream_http_x_other] [$upstream_http_x_of] [$sent_http_x_of]" always;
  add_header X-Request "$request [$upstream_cache_status] [$ssl_protocol] [$ssl_client_s_dn] [$ssl_client_serial]" always;
  if ($arg_own) { return 201 "own"; }`

const ofAnswers: Comparison = {
  key: 'configuration-snippet',
  name: 'variables of answers and of TLS',
  modules: ['headers_more_filter'],
  annotations: { 'configuration-snippet': ofAnswer },
  location: ofAnswer,
  requests: [
    { upstream: { fields: { ...length, 'X-Other': 'o', 'X-Of': 'it' } } },
    { ...plain, tls: { version: 'TLSv1.2' }, target: '/%20?x' },
    { upstream: { status: 404, fields: length } },
    { target: '/?own=1', tls: {} },
  ],
}

function page(status: number): string {
  return `location @custom_${status} { internal; proxy_set_header X-Code ${status}; proxy_set_header X-Request-ID $req_id;
    proxy_set_header Host $http_host; proxy_pass http://sorry; }`
}
const pages = { 'custom-http-errors': '403,404,502,503', 'default-backend': 'sorry' }
const intercepting = `proxy_intercept_errors on; error_page 403 = @custom_403; error_page 404 = @custom_404;
  error_page 502 = @custom_502; error_page 503 = @custom_503;`
const allPages = [403, 404, 502, 503].map(page).join(' ')
const asPage = {
  fields: [':target', 'x-format', 'x-namespace', 'x-ingress-name', 'x-service-name'].concat(
    'x-service-port x-original-uri x-forwarded-for x-forwarded-host x-forwarded-port'.split(' '),
    'x-forwarded-proto x-forwarded-scheme x-real-ip x-scheme'.split(' '),
  ),
  why: 'what a page is told is compared elsewhere',
}
const returning = 'if ($arg_a) { return 404 "own"; } if ($arg_b) { return 404; } deny all;'

const replaced: readonly Comparison[] = [
  {
    key: 'custom-http-errors',
    name: 'both tries are told',
    apart: asPage,
    annotations: pages,
    location: intercepting,
    server: allPages,
    requests: [404, 503].map((status) => ({
      upstream: { status, body: 'own', fields: { 'Content-Length': '3' } },
    })),
  },
  {
    key: 'custom-http-errors',
    name: 'nobody answers',
    apart: asPage,
    annotations: pages,
    service: 'refusing',
    location: intercepting,
    server: allPages,
    requests: [{}],
  },
  {
    key: 'custom-http-errors',
    name: 'no page in place of return with a text',
    apart: asPage,
    annotations: { ...pages, 'configuration-snippet': returning },
    location: `${intercepting} ${returning}`,
    server: allPages,
    requests: ['/?a=1', '/?b=1', '/'].map((target) => ({ target })),
  },
]

/** Variables in values and in the log, where they are not what the request began with. */
export const variablesGroup: Group = {
  name: 'options: variables, behind rewrites and in the log',
  options: { 'log-format-upstream': variables },
  http: `log_format compared '${variables}'; access_log @folder/access.log compared;`,
  defaultBackend: true,
  logs: true,
  comparisons: [
    ...behindRewrites,
    ofAnswers,
    ...replaced,
    {
      key: 'log-format-upstream',
      name: 'cookies, and fields that frame answers',
      annotations: {},
      requests: [
        ...[
          'sid=1; x=2',
          'a=b, sid=1,x=2',
          'sid = 1 ; x= 2 ',
          'sid; x=2; sid=3',
          'sid="a;b"; x="2"',
          'SID=1;X=2',
          'xsid=1;sid=2;sid=3; x',
          ';;sid=2;=4',
        ].map((Cookie) => ({ upstream: plain.upstream, fields: { Cookie } })),
        { ...plain, fields: { 'X-Forwarded-For': '192.0.2.1, 192.0.2.2' } },
        { upstream: { fields: { ...length, 'Cache-Control': ['no-store', 'private'] } } },
        { method: 'HEAD', upstream: { fields: length } },
        { upstream: { status: 204 } },
        { upstream: { status: 304 } },
      ],
    },
  ],
}

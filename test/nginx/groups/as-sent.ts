import type { Group } from '../comparison.ts'

const variables = [
  '$http_x_case',
  '$remote_user',
  '$http_host',
  '$http_user_agent',
  '$http_x_new',
  '$http_x_lost',
  '$http_x_forwarded_for',
  '$http_x_request_id',
  '$http_accept_encoding',
  '$content_type',
  '[$http_cookie]',
  '[$cookie_sid]',
  '$request_length',
  '$sent_http_x_of',
]

const sent = {
  'User-Agent': 'agent',
  Cookie: 'sid=7; b=8',
  Origin: 'https://a.example',
  'Content-Type': 'text/own',
  'Accept-Encoding': 'gzip',
  'X-Lost': 'mine',
  'X-Forwarded-For': '192.0.2.99',
  'X-Request-ID': 'abc',
}
const upstream = { fields: { 'Content-Length': '6' } }
const requests = [
  { upstream },
  { fields: sent, upstream },
  { method: 'POST', body: 'x=1', fields: sent, upstream },
]

/** Variables and policies look at a request as the client sent it, whatever its upstream gets. */
export const asSent: Group = {
  name: 'options: what clients sent, and upstreams do not get',
  options: {
    'proxy-set-headers': 'test/replacing',
    'log-format-upstream': variables.join('|'),
    'use-gzip': 'true',
    'gzip-types': 'text/plain',
    'gzip-min-length': '20',
  },
  http: `log_format compared '${variables.join('|')}'; access_log @folder/access.log compared;
    gzip on; gzip_types text/plain; gzip_min_length 20; gzip_proxied any; gzip_vary on;`,
  location: `proxy_set_header User-Agent "proxy"; proxy_set_header Cookie ""; proxy_set_header Origin "";
    proxy_set_header Content-Type "x/y"; proxy_set_header Accept-Encoding ""; proxy_set_header X-New "new";
    proxy_set_header X-Lost "";`,
  logs: true,
  comparisons: [
    {
      key: 'proxy-set-headers',
      name: 'lines of the log',
      annotations: {},
      requests,
    },
    {
      key: 'configuration-snippet',
      name: 'fields made of others that are replaced',
      annotations: {
        'configuration-snippet': `proxy_set_header X-Of "$http_user_agent|$http_x_new|$http_x_lost|$cookie_sid|$content_type";
          add_header X-Of "$http_user_agent|$http_x_new|$http_x_lost|$http_cookie|$content_type" always;`,
      },
      location: `proxy_set_header X-Of "$http_user_agent|$http_x_new|$http_x_lost|$cookie_sid|$content_type";
        add_header X-Of "$http_user_agent|$http_x_new|$http_x_lost|$http_cookie|$content_type" always;`,
      requests,
    },
    {
      key: 'configuration-snippet',
      name: 'what is put into the request itself counts as sent',
      annotations: {
        'configuration-snippet': `more_set_input_headers "X-Lost: put" "X-New: there";
          more_clear_input_headers "Cookie";
          add_header X-Of "$http_x_lost|$http_x_new|$http_user_agent|$http_cookie" always;`,
      },
      modules: ['headers_more_filter'],
      location: `more_set_input_headers "X-Lost: put" "X-New: there"; more_clear_input_headers "Cookie";
        add_header X-Of "$http_x_lost|$http_x_new|$http_user_agent|$http_cookie" always;`,
      requests,
    },
    {
      key: 'upstream-vhost',
      name: 'the host of the client',
      annotations: { 'upstream-vhost': 'other.example' },
      location: 'proxy_set_header Host "other.example";',
      requests,
    },
    {
      key: 'auth-type',
      name: 'the user, whose password upstreams do not get',
      annotations: { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'r' },
      location: `auth_basic "r"; auth_basic_user_file @folder/users; proxy_set_header Authorization "";`,
      requests: [{ fields: { ...sent, Authorization: 'Basic dTpw' }, upstream }, { upstream }],
    },
    {
      key: 'enable-cors',
      name: 'the origin',
      annotations: { 'enable-cors': 'true', 'cors-allow-origin': 'https://a.example' },
      apart: {
        fields: ['vary'],
        why: 'answers that differ by origin must say so to caches (RFC 9110 12.5.5)',
      },
      modules: ['headers_more_filter'],
      location: `set $cors ''; if ($http_origin ~* ((https://a\\.example))$ ) { set $cors 'true'; }
        if ($cors = "true") {
          more_set_headers 'Access-Control-Allow-Origin: $http_origin';
          more_set_headers 'Access-Control-Allow-Credentials: true';
          more_set_headers 'Access-Control-Allow-Methods: GET, PUT, POST, DELETE, PATCH, OPTIONS';
          more_set_headers 'Access-Control-Allow-Headers: DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization';
          more_set_headers 'Access-Control-Max-Age: 1728000';
        }`,
      requests,
    },
    {
      key: 'use-gzip',
      name: 'a coding that clients take and upstreams are not asked for',
      annotations: {},
      requests: [
        {
          fields: sent,
          upstream: { bodyBytes: 3000, fields: { 'Content-Type': 'text/plain' } },
        },
      ],
    },
  ],
}

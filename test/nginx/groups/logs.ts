import type { Comparison, Group } from '../comparison.ts'

/** What does not depend on time; the case stands in front. */
const variables = [
  '$http_x_case',
  '$remote_addr',
  '$remote_user',
  '"$request"',
  '$status',
  '$body_bytes_sent',
  '"$http_referer"',
  '"$http_user_agent"',
  '$host',
  '$request_method',
  '$request_uri',
  '$scheme',
  '$server_protocol',
  '$upstream_response_length',
  '$upstream_status',
  '$sent_http_x_of',
  '$http_x_none',
  '[$cookie_sid]',
  '[$arg_q]',
]

/** Framing of chunks is no content, which nginx counts with it. */
const whole = { upstream: { fields: { 'Content-Length': '6', 'X-Of': 'it' } } }

/** `agent`: escaped in a way that is alike. */
function comparisonsWith(agent: string): readonly Comparison[] {
  return [
    {
      key: 'log-format-upstream',
      name: 'what clients send and upstreams answer',
      annotations: {},
      requests: [
        {
          ...whole,
          target: '/a%20b?q=1&r=%22',
          fields: { Referer: 'http://r.example/"x"', Cookie: 'sid=7' },
        },
        {
          method: 'POST',
          body: 'abc',
          upstream: { status: 201, bodyBytes: 3000, fields: { 'Content-Length': '3000' } },
        },
        { ...whole, fields: { 'User-Agent': agent, Authorization: 'Basic dTpw' } },
        { method: 'HEAD', upstream: { status: 404 } },
      ],
    },
    {
      key: 'log-format-upstream',
      name: 'answers of the proxy',
      annotations: { 'configuration-snippet': 'return 204;' },
      location: 'return 204;',
      requests: [{ target: '/x' }],
    },
    {
      key: 'log-format-upstream',
      name: 'nobody answers',
      annotations: {},
      service: 'refusing',
      requests: [{ method: 'HEAD' }],
    },
    {
      key: 'log-format-upstream',
      name: 'statuses that are tried again',
      annotations: { 'proxy-next-upstream': 'http_503' },
      location: 'proxy_next_upstream http_503;',
      service: 'trio',
      requests: [{ upstream: { status: 503, tries: 2, fields: { 'Content-Length': '6' } } }],
    },
    {
      key: 'enable-access-log',
      name: 'off',
      annotations: { 'enable-access-log': 'false' },
      location: 'access_log off;',
      requests: [{}],
    },
    {
      key: 'skip-access-log-urls',
      name: 'some targets',
      annotations: {},
      requests: ['/healthz', '/healthz?x', '/static/a'].map((target) => ({
        target,
        upstream: whole.upstream,
      })),
    },
  ]
}

function logging(name: string, escape: '' | 'json' | 'none', agent: string): Group {
  const format = variables.join(escape === 'json' ? '|' : ' ')
  return {
    name: `options: lines of the access log, ${name}`,
    options: {
      'log-format-upstream': format,
      'skip-access-log-urls': '/healthz,~^/static/',
      ...(escape !== '' && { [`log-format-escape-${escape}`]: 'true' }),
    },
    http: `log_format compared ${escape === '' ? '' : `escape=${escape} `}'${format}';
      map $request_uri $loggable { /healthz 0; ~^/static/ 0; default 1; }
      access_log @folder/access.log compared if=$loggable;`,
    logs: true,
    comparisons: comparisonsWith(agent),
  }
}

export const logGroups: readonly Group[] = [
  logging('as nginx escapes by itself', '', 'a\\b"c\td\u00e9'),
  logging('escaped for JSON', 'json', 'a\\b"c\td'),
  logging('not escaped', 'none', 'a\\b"c'),
]

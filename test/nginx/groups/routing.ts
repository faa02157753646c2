import type { Group } from '../comparison.ts'

const get = [{}]

/** What of a path becomes part of a query. */
const captured = [
  '/old/a+b',
  '/old/a&b/c',
  '/old/a%2Bb%26c=d?q',
  '/old/a%20b/c&d;e?',
  '/old/%C3%A9/x;y=1?',
  '/old/%3F/"<>|',
  '/old/"<>/^`{}',
].map((target) => ({ target }))

/** Under which path and which name a request is found, and what the upstream sees of both. */
export const routing: Group = {
  name: 'paths and names',
  comparisons: [
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
      requests: [{ target: '/x/y?z' }, { target: '/x' }, { target: '/X' }],
    },
    {
      key: 'rewrite-target',
      name: 'a query, and variables',
      annotations: { 'rewrite-target': '/t/$2?from=$1&host=$host' },
      path: '/([a-z]+)/(.*)',
      pathType: 'ImplementationSpecific',
      locations:
        'location ~* "^/([a-z]+)/(.*)" { rewrite "(?i)/([a-z]+)/(.*)" /t/$2?from=$1&host=$host break; @proxy }',
      requests: [{ target: '/ab/cd' }, { target: '/ab/cd?q=1' }, { target: '/ab/c%3Fd' }],
    },
    {
      key: 'rewrite-target',
      name: 'groups in path and query',
      annotations: { 'rewrite-target': '/new/$2?a=$1&b=$2' },
      path: '/old/([^/]*)/?(.*)',
      pathType: 'ImplementationSpecific',
      locations:
        'location ~* "^/old/([^/]*)/?(.*)" { rewrite "(?i)/old/([^/]*)/?(.*)" /new/$2?a=$1&b=$2 break; @proxy }',
      requests: captured,
    },
    {
      key: 'configuration-snippet',
      name: 'groups in path and query',
      annotations: {
        'configuration-snippet': 'rewrite ^/old/([^/]*)/?(.*) /new/$2?a=$1&b=$2 break;',
      },
      location: 'rewrite ^/old/([^/]*)/?(.*) /new/$2?a=$1&b=$2 break;',
      requests: captured,
    },
    {
      key: 'rewrite-target',
      name: 'a URL, before users are asked for',
      annotations: {
        'rewrite-target': 'https://other.example/$1',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      path: '/old/(.*)',
      pathType: 'ImplementationSpecific',
      locations:
        'location ~* "^/old/(.*)" { auth_basic "r"; auth_basic_user_file @folder/users; rewrite "(?i)/old/(.*)" https://other.example/$1 break; @proxy }',
      requests: [{ target: '/old/a%20b?x=y' }, { target: '/old/' }],
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
      key: 'x-forwarded-prefix',
      name: 'without one it says nothing',
      annotations: { 'x-forwarded-prefix': '/shop' },
      requests: [{}, { fields: { 'X-Forwarded-Prefix': '/mine' } }],
    },
    {
      key: 'app-root',
      name: 'the root alone',
      annotations: { 'app-root': '/app' },
      server: 'if ($uri = /) { return 302 $scheme://$http_host/app; }',
      requests: [
        { target: '/' },
        { target: '/?a=b' },
        { target: '/x' },
        { target: '//' },
        // Of the server: before the size of a body, which is a location's.
        { target: '/', method: 'POST', body: 'x'.repeat(1_200_000) },
        { target: '/x', method: 'POST', body: 'x'.repeat(1_200_000) },
      ],
    },
    {
      key: 'server-alias',
      name: 'another name',
      annotations: { 'server-alias': 'alias.server-alias.example' },
      server: 'server_name alias.server-alias.example;',
      requests: [{ host: 'alias.server-alias.example', target: '/x' }, {}],
    },
    {
      key: 'upstream-vhost',
      name: 'a fixed host',
      annotations: { 'upstream-vhost': 'internal.example' },
      location: 'proxy_set_header Host "internal.example";',
      requests: get,
    },
    {
      key: 'upstream-vhost',
      name: 'with variables',
      annotations: { 'upstream-vhost': '$http_x_tenant.in.example' },
      location: 'proxy_set_header Host "$http_x_tenant.in.example";',
      requests: [{ fields: { 'X-Tenant': 'a' } }],
    },
    {
      key: 'service-upstream',
      name: 'the address of the cluster',
      annotations: { 'service-upstream': 'true' },
      service: 'cluster',
      requests: get,
    },
  ],
}

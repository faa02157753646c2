import type { SnippetCase } from './snippet-case.ts'

/** What variables and groups are behind rewrites and conditions, and what return answers by itself. */
export const rewritingSnippets: readonly SnippetCase[] = [
  {
    name: 'the query that a rewrite made',
    text: `rewrite ^/a/(.*)$ /z/$1?y=2;
set $seen "$uri $args";
rewrite ^/z/(.*)$ /w/$1 break;
add_header X-Seen $seen always;
add_header X-Now "$uri$is_args$query_string $arg_y $arg_x" always;
add_header X-Sent $request_uri always;`,
    plain: true,
    requests: [
      {
        target: '/a/b?x=1',
        sent: '/w/b?y=2&x=1',
        answer: { 'x-seen': '/z/b y=2&x=1', 'x-now': '/w/b?y=2&x=1 2 1', 'x-sent': '/a/b?x=1' },
      },
      { target: '/a/b', answer: { 'x-now': '/w/b?y=2 2 ' } },
      { target: '/b?x=1', answer: { 'x-now': '/b?x=1  1' } },
    ],
  },
  {
    name: 'the query that a rewrite took away',
    text: 'rewrite ^/a/(.*)$ /z/$1? break;\nadd_header X-Now "[$uri$is_args$args$arg_x]" always;',
    plain: true,
    requests: [{ target: '/a/b?x=1', sent: '/z/b', answer: { 'x-now': '[/z/b]' } }],
  },
  {
    name: 'the query set anew',
    text: `if ($arg_drop) { set $args ""; }
if ($arg_more) { set $args "$args&own=1"; }
add_header X-Now "[$args][$arg_own][$is_args]$request_uri" always;
rewrite ^/r/(.*)$ /s/$1 break;`,
    plain: true,
    requests: [
      { target: '/x?drop=1', sent: '/x', answer: { 'x-now': '[][][]/x?drop=1' } },
      { target: '/x%41?more=1', sent: '/xA?more=1&own=1' },
      {
        target: '/r/a%20b?more=1',
        sent: '/s/a%20b?more=1&own=1',
        answer: { 'x-now': '[more=1&own=1][1][?]/r/a%20b?more=1' },
      },
      { target: '/x%41?other', sent: '/x%41?other' },
    ],
  },
  {
    name: 'the query set anew for a host',
    key: 'server-snippet',
    text: 'if ($arg_more) { set $args "$args&own=1"; }',
    plain: true,
    requests: [{ target: '/x?more=1', sent: '/x?more=1&own=1' }],
  },
  {
    name: 'what does not match leaves no groups',
    text: 'if ($uri ~ ^/(.)(.)) { set $met 1; }\nif ($arg_q ~ (x)) { set $met 2; }\nadd_header X-Groups "[$1][$2]" always;\nset $kept "[$1]";\nadd_header X-Kept $kept;',
    plain: true,
    requests: [
      { target: '/ab?q=x', answer: { 'x-groups': '[x][]', 'x-kept': '[x]' } },
      { target: '/ab?q=y', answer: { 'x-groups': '[][]', 'x-kept': '[]' } },
    ],
  },
  {
    name: 'groups of a location',
    key: 'server-snippet',
    text: 'location ~ ^/u/(\\w+) { return 302 /z/$1$is_args$args; }',
    plain: true,
    requests: [
      { target: '/u/b%20c?x', status: 302, location: 'http://a.example/z/b?x' },
      { target: '/v', status: 200 },
    ],
  },
  {
    name: 'an answer that says nothing',
    text: 'return 200;',
    plain: true,
    requests: [{ status: 200, body: '', answer: { 'content-type': 'text/html' } }],
  },
  {
    name: 'a redirect to wherever the client says',
    text: 'return 301 $request_uri;',
    plain: true,
    requests: [{ target: '//o.example/x', status: 301, location: 'http://a.example//o.example/x' }],
  },
  {
    name: 'a page for what has no words of its own',
    text: 'error_page 403 404 https://o.example/;\nif ($arg_a) { return 404 "none"; }\nreturn 404;',
    plain: true,
    requests: [
      { target: '/?a=1', status: 404, body: 'none' },
      { status: 302, location: 'https://o.example/' },
    ],
  },
]

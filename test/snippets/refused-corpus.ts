import type { SnippetCase } from './snippet-case.ts'

/** Snippets with lines that cannot be translated, and one that has no request of its own. */
export const refusedSnippets: readonly SnippetCase[] = [
  {
    name: 'a log of its own',
    text: 'access_log /var/log/nginx/shop.log custom;',
    refused: [1],
  },
  {
    name: 'Lua',
    text: 'add_header X-A 1;\naccess_by_lua_block {\n  ngx.header["x"] = "}"\n}',
    refused: [2],
  },
  {
    name: 'a filter of bodies',
    text: "add_header X-A 1;\nsub_filter '</head>' '<script></script></head>';\nsub_filter_once on;",
    refused: [2, 3],
  },
  {
    name: 'another upstream',
    text: 'location /other {\n  proxy_pass http://other.shop.svc;\n}',
    key: 'server-snippet',
    refused: [1, 2],
  },
  {
    name: 'limits of a zone',
    text: 'limit_req zone=one burst=5;',
    refused: [1],
  },
  {
    name: 'lookahead',
    text: 'if ($request_uri ~ "^/(?!api)") {\n  return 404;\n}',
    refused: [1],
  },
  {
    name: 'a variable that nobody knows',
    text: 'add_header X-Country $geoip_country_code;',
    refused: [1],
  },
  {
    name: 'text that ends too early',
    text: 'add_header X-A 1;\nif ($host = a) {\n  return 404;\n',
    refused: [4],
  },
  {
    name: 'a way out of the block',
    text: 'return 200;\n}\nlocation /x {\n  return 200;',
    refused: [2],
  },
  {
    name: 'fields for the authentication',
    key: 'auth-snippet',
    text: 'proxy_set_header X-Tenant $http_x_tenant;',
  },
  {
    name: 'conditions where nginx has none',
    key: 'auth-snippet',
    text: 'if ($request_uri ~ "/health") {\n  return 200;\n}',
    refused: [1],
  },
]

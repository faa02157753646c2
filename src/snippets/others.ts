import type { DirectiveRow, DirectiveTable } from './row.ts'

const streamed = 'bodies are passed on as they come, so there is nothing to be set'
const heads = 'the options of the ConfigMap bound heads, for all routes'

/** Directives that need no effect here, and why. */
const unused: Readonly<Record<string, string>> = {
  proxy_buffering: streamed,
  proxy_buffers: streamed,
  proxy_busy_buffers_size: streamed,
  proxy_max_temp_file_size: streamed,
  proxy_temp_file_write_size: streamed,
  proxy_request_buffering: streamed,
  client_body_buffer_size: streamed,
  client_body_in_file_only: streamed,
  client_body_temp_path: streamed,
  large_client_header_buffers: heads,
  client_header_buffer_size: heads,
  proxy_headers_hash_max_size: 'tables grow as they must',
  proxy_headers_hash_bucket_size: 'tables grow as they must',
  gzip_vary:
    'Vary: Accept-Encoding is sent wherever an answer may be compressed, as caches need it',
  gzip_proxied: 'answers are compressed for proxies, too',
  gzip_disable: 'clients that say they accept gzip and do not have died out',
  gzip_buffers: streamed,
  gzip_http_version: 'answers to HTTP/1.0 are not compressed',
  server_tokens: 'Server is never sent',
  log_not_found: 'there are no files that could be missing',
  log_subrequest: 'requests to services of authentication are not logged',
  rewrite_log: 'headgate explain shows what a request is rewritten to',
  error_log: 'the log is one, for all routes',
  chunked_transfer_encoding: 'each version of the protocol frames bodies in its own way',
  tcp_nodelay: 'it is always on',
  tcp_nopush: 'heads and first bytes leave in one write',
  sendfile: 'there are no files to be sent',
  etag: 'there are no files that could have one',
  port_in_redirect: 'redirects name the port that the client named',
  absolute_redirect: 'the annotation relative-redirects says it',
  proxy_socket_keepalive: 'connections to upstreams are watched by timeouts',
  proxy_ssl_session_reuse: 'sessions are resumed where the upstream allows it',
  msie_padding: 'it was for browsers that are gone',
  msie_refresh: 'it was for browsers that are gone',
}

const lua = 'code is never executed'
const files = 'there are no files to be served; let a Service serve them'
const filters = 'bodies are not rewritten; let the upstream do it'
const cache = 'answers are not cached'
const limits = 'write limit-rps, limit-rpm or limit-connections'
const peers =
  'the ConfigMap says which peers name clients: use-forwarded-headers, proxy-real-ip-cidr'
const auth = 'write auth-type and auth-secret'
const external = 'write auth-url'
const waf = 'there is no web application firewall here'

/** Directives that are known and refused, and what to do instead. */
const refused: Readonly<Record<string, string>> = {
  proxy_pass: 'an Ingress with a backend of its own says where requests go',
  grpc_pass: 'write backend-protocol: GRPC',
  fastcgi_pass: 'write backend-protocol',
  uwsgi_pass: 'let the upstream speak HTTP',
  root: files,
  alias: files,
  try_files: files,
  index: files,
  autoindex: files,
  internal: 'there are no requests from within',
  sub_filter: filters,
  sub_filter_once: filters,
  sub_filter_types: filters,
  subs_filter: filters,
  add_before_body: filters,
  add_after_body: filters,
  ssi: filters,
  content_by_lua: lua,
  content_by_lua_block: lua,
  access_by_lua: lua,
  access_by_lua_block: lua,
  access_by_lua_file: lua,
  rewrite_by_lua: lua,
  rewrite_by_lua_block: lua,
  header_filter_by_lua: lua,
  header_filter_by_lua_block: lua,
  body_filter_by_lua: lua,
  body_filter_by_lua_block: lua,
  log_by_lua_block: lua,
  set_by_lua: lua,
  set_by_lua_block: lua,
  perl: lua,
  perl_set: lua,
  js_content: lua,
  js_set: lua,
  proxy_cache: cache,
  proxy_cache_valid: cache,
  proxy_cache_key: cache,
  proxy_cache_bypass: cache,
  proxy_no_cache: cache,
  proxy_cache_use_stale: cache,
  proxy_cache_lock: cache,
  proxy_cache_methods: cache,
  proxy_cache_path: cache,
  proxy_ignore_headers: cache,
  limit_req: limits,
  limit_req_zone: limits,
  limit_req_status: 'write limit-req-status-code into the ConfigMap',
  limit_conn: limits,
  limit_conn_zone: limits,
  limit_except: 'write if on $request_method and return',
  real_ip_header: peers,
  set_real_ip_from: peers,
  real_ip_recursive: peers,
  auth_basic: auth,
  auth_basic_user_file: auth,
  auth_request: external,
  auth_request_set: external,
  underscores_in_headers: 'write enable-underscores-in-headers into the ConfigMap',
  ignore_invalid_headers: 'write ignore-invalid-headers into the ConfigMap',
  keepalive_timeout: 'write keep-alive into the ConfigMap',
  keepalive_requests: 'write keep-alive-requests into the ConfigMap',
  client_header_timeout: 'write client-header-timeout into the ConfigMap',
  client_body_timeout: 'write client-body-timeout into the ConfigMap',
  send_timeout: 'a client that does not read is bounded by the timeouts of the upstream',
  proxy_intercept_errors: 'write custom-http-errors',
  proxy_bind: 'the address towards upstreams is chosen by the system',
  proxy_method: 'methods are passed on as they come',
  proxy_set_body: filters,
  proxy_pass_request_headers: 'fields are passed on',
  proxy_pass_request_body: 'bodies are passed on',
  proxy_ssl_certificate: 'write proxy-ssl-secret',
  proxy_ssl_certificate_key: 'write proxy-ssl-secret',
  proxy_ssl_trusted_certificate: 'write proxy-ssl-secret',
  ssl_protocols: 'write ssl-protocols into the ConfigMap',
  ssl_ciphers: 'write ssl-ciphers',
  ssl_prefer_server_ciphers: 'write ssl-prefer-server-ciphers',
  ssl_certificate: 'a TLS section of the Ingress names the Secret',
  ssl_certificate_key: 'a TLS section of the Ingress names the Secret',
  ssl_verify_client: 'write auth-tls-secret',
  ssl_client_certificate: 'write auth-tls-secret',
  mirror: 'write mirror-target',
  listen: 'ports are flags of headgate serve',
  server_name: 'write server-alias',
  resolver: 'names are resolved by the control plane',
  upstream: 'it stands outside of servers',
  map: 'it stands outside of servers',
  geo: 'it stands outside of servers',
  log_format: 'it stands outside of servers; the access log is JSON',
  modsecurity: waf,
  modsecurity_rules: waf,
  modsecurity_rules_file: waf,
  include: 'there are no files to be read',
  load_module: lua,
}

function rows(table: Readonly<Record<string, string>>, kind: 'unused' | 'refused'): DirectiveTable {
  return Object.fromEntries(
    Object.entries(table).map(([name, doc]): [string, DirectiveRow] => [name, { kind, doc }]),
  )
}

/** Directives without a translation. */
export const otherTable: DirectiveTable = { ...rows(unused, 'unused'), ...rows(refused, 'refused') }

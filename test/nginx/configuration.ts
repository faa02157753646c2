import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Comparison, Group, NginxModule } from './comparison.ts'

/** A case and the host that is its own. */
export interface Site {
  readonly host: string
  readonly comparison: Comparison
}

/** What words with `@` in nginx's configuration stand for. */
export interface Places {
  /** Address and port; `@plain` and `@secure` are the directives. */
  readonly httpPort: number
  readonly httpsPort: number
  /** Where the configuration, its certificates and its users lie: `@folder`. */
  readonly folder: string
  /** Ports of upstreams: `@port:NAME`. */
  readonly ports: Readonly<Record<string, number>>
}

/** Services by name: the upstreams that are their endpoints. */
export const services: Readonly<Record<string, readonly string[]>> = {
  echo: ['echo'],
  trio: ['echo', 'second', 'third'],
  /** Whose connections serve one request each. */
  fresh: ['once', 'twice'],
  half: ['refusing', 'echo'],
  refusing: ['refusing'],
  silent: ['silent'],
  secure: ['secure'],
  deep: ['deep'],
  deeper: ['deeper'],
  grpc: ['grpc'],
  grpcs: ['grpcs'],
  sorry: ['sorry'],
  cluster: ['second'],
  empty: [],
}

/** What ingress-nginx writes into each location (`nginx.tmpl`). */
const usual = `client_max_body_size 1m;
proxy_set_header Host $http_host;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $connection_upgrade;
proxy_set_header X-Request-ID $req_id;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-Port $pass_port;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Scheme $scheme;
proxy_set_header X-Scheme $scheme;
proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
proxy_set_header X-Original-Forwarded-Host $http_x_forwarded_host;
proxy_set_header Proxy "";
proxy_connect_timeout 5s;
proxy_send_timeout 60s;
proxy_read_timeout 60s;
proxy_buffering off;
proxy_buffer_size 4k;
proxy_buffers 4 4k;
proxy_max_temp_file_size 1024m;
proxy_request_buffering on;
proxy_http_version 1.1;
proxy_cookie_domain off;
proxy_cookie_path off;
proxy_next_upstream error timeout;
proxy_next_upstream_timeout 0;
proxy_next_upstream_tries 3;
proxy_redirect off;
add_header Strict-Transport-Security $hsts always;`.split('\n')

/** The configuration of nginx: one server a case. */
export function nginxConfiguration(group: Group, sites: readonly Site[], places: Places): string {
  const { folder, httpPort, httpsPort, ports } = places
  return `${modules.map((path) => `load_module ${path};\n`).join('')}daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 512; }
http {
  ${/\baccess_log\b/.test(group.http ?? '') ? '' : 'access_log off;'}
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache keys_zone=auth_cache:1m use_temp_path=off;
  default_type text/html;
  uninitialized_variable_warn off;
  port_in_redirect off;
  proxy_ssl_session_reuse off;
  server_names_hash_bucket_size 128;
  variables_hash_max_size 2048;
  ssl_certificate ${folder}/server.pem;
  ssl_certificate_key ${folder}/server.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ciphers 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384';
  ssl_prefer_server_ciphers on;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  map $https $pass_port { on 443; default $server_port; }
  map $https $hsts { on 'max-age=31536000; includeSubDomains'; default ''; }
  map $http_x_request_id $req_id { default $http_x_request_id; '' $request_id; }
  ${unless(group.http, 'limit_req_status', '503')}
  ${unless(group.http, 'limit_conn_status', '503')}
${Object.entries(services).map(upstreamBlock).join('\n')}
  # The name of every upstream of ingress-nginx.
  ${upstreamBlock(['upstream_balancer', ['secure']])}
  server { @plain default_server; @secure default_server; return 404; }
  ${group.http ?? ''}
${sites.map((site) => server(group, site)).join('')}}
`
    .replaceAll('@plain', `listen 127.0.0.1:${httpPort}`)
    .replaceAll('@secure', `listen 127.0.0.1:${httpsPort} ssl http2`)
    .replaceAll('@httpsPort', String(httpsPort))
    .replaceAll('@folder', folder)
    .replaceAll(/@port:(\w+)/g, (_, name: string) => String(ports[name]))
}

function unless(text: string | undefined, directive: string, value: string): string {
  return text?.includes(directive) === true ? '' : `${directive} ${value};`
}

/** Endpoints are never taken out: ingress-nginx chooses them itself, and counts no failures. */
function upstreamBlock([name, endpoints]: readonly [string, readonly string[]]): string {
  const servers = endpoints.map((endpoint) => `server 127.0.0.1:@port:${endpoint} max_fails=0;`)
  return endpoints.length === 0 ? '' : `  upstream ${name} { ${servers.join(' ')} }`
}

function server(group: Group, { host, comparison }: Site): string {
  const { http = '', server: inServer = '', location = '', locations } = comparison
  const own = locations ?? `location / { ${location} @proxy }`
  const [first = ''] = host.split('.')
  return `  ${http}
  server {
    @plain; @secure;
    server_name ${host};
    set $namespace test; set $ingress_name @name; set $service_name ${comparison.service ?? 'echo'};
    set $service_port 80; set $location_path "${comparison.path ?? '/'}";
    ${inServer}
    ${passing(group, comparison, own)}
  }
`
    .replaceAll('@host', host)
    .replaceAll('@name', first)
    .replaceAll('@id', first.replaceAll('-', '_'))
}

/** `@proxy`, wherever it stands: what the text does not set itself, and the passing on. */
function passing(group: Group, comparison: Comparison, text: string): string {
  const { service = 'echo', pass = `proxy_pass http://${service};` } = comparison
  const more = group.location ?? ''
  const lines = usual.filter((line) => {
    const [directive = '', field = ''] = line.split(' ')
    const named = directive === 'proxy_set_header' || directive === 'add_header'
    const marker = named ? `${directive} ${field} ` : `${directive} `
    return !`${text} ${more} ${pass}`.includes(marker)
  })
  const set = pass.startsWith('grpc_pass') ? 'grpc_set_header' : 'proxy_set_header'
  const written = lines.join('\n      ').replaceAll('proxy_set_header', set)
  return text.replaceAll(/@proxy(?!_)\b/g, () => `${more} ${written} ${pass}`)
}

/** Where Debian's packages put modules; another folder where that is named. */
const folder = process.env['NGINX_MODULES'] ?? '/usr/lib/nginx/modules'

function moduleFile(name: string): string {
  return join(folder, name === 'ndk' ? 'ndk_http_module.so' : `ngx_http_${name}_module.so`)
}

/** In the order in which nginx takes them. */
const modules = ['ndk', 'set_misc', 'headers_more_filter', 'brotli_filter']
  .map((name) => moduleFile(name))
  .filter((path) => existsSync(path))

/** The module that a case needs and that is not there. */
export function missingModule({ modules: needed = [] }: Comparison): NginxModule | undefined {
  return needed.find((name) => !modules.includes(moduleFile(name)))
}

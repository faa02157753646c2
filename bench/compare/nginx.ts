import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addedFields,
  burstMultiplier,
  corsFields,
  customFields,
  hiddenField,
  origin,
  policiesPath,
  requestFields,
  requestsPerSecond,
  seenField,
} from './policies.ts'
import { freePorts, run, start, waitForPort } from './processes.ts'
import { jsonTemplate } from './site.ts'
import type { ProxyBuild, RunningProxy, Setup, Site } from './site.ts'
import { grpcMethods } from './workloads.ts'

const variables = {
  time: '$time_iso8601',
  request_id: '$request_id',
  client: '$remote_addr',
  method: '$request_method',
  host: '$host',
  path: '$request_uri',
  status: '$status',
  bytes_sent: '$bytes_sent',
  duration: '$request_time',
  upstream: '$upstream_addr',
  upstream_duration: '$upstream_response_time',
  user_agent: '$http_user_agent',
} as const

const logFormat = jsonTemplate(variables)

/** The same for who counts bodies alone; both write it, as it is an option of ingress-nginx, too. */
export const policyLogFormat = jsonTemplate({ ...variables, bytes_sent: '$body_bytes_sent' })

interface Ports {
  readonly httpPort: number
  readonly httpsPort: number
  readonly statusPort: number
}

/** Where this nginx keeps the module that has more_set_headers; undefined: it is not installed. */
export async function headersMoreModule(path: string): Promise<string | undefined> {
  // nginx writes it to standard error; the shell puts it where `run` looks.
  const [, folder = ''] =
    /--modules-path=(\S+)/.exec(await run('sh', ['-c', '"$0" -V 2>&1', path])) ?? []
  const file = join(folder, 'ngx_http_headers_more_filter_module.so')
  return folder !== '' && existsSync(file) ? file : undefined
}

/** Starts nginx as ingress-nginx configures it, less Lua, which only costs. */
export async function startNginx(
  build: ProxyBuild,
  site: Site,
  { logged, logLines, policies }: Setup,
): Promise<RunningProxy> {
  const [httpPort = 0, httpsPort = 0, statusPort = 0] = await freePorts(3)
  const name = `nginx-${httpPort}`
  const logFile = join(site.folder, `${name}.log`)
  const file = join(site.folder, `${name}.conf`)
  const module = policies ? await headersMoreModule(build.path) : undefined
  writeFileSync(
    file,
    `${module === undefined ? '' : `load_module ${module};\n`}${prelude(site, name)}
http {
  log_format json escape=json '${policies ? policyLogFormat : logFormat}';
  access_log ${logged ? `${logFile} json${logLines ? '' : ' buffer=64k flush=1s'}` : 'off'};
${temporaryFolders(site, name)}
${policies ? policyZone : ''}
${servers(site, { httpPort, httpsPort, statusPort }, policies ? policyDirectives(module !== undefined) : '')}
}
`,
  )
  const program = start({
    name,
    file: build.path,
    args: ['-p', site.folder, '-c', file],
    cores: site.proxyCores,
    folder: site.folder,
  })
  await waitForPort(httpsPort, program)
  const logFiles = logged ? [logFile] : []
  return { build, pid: program.pid, httpPort, httpsPort, logFiles, stop: program.stop }
}

function servers(
  site: Site,
  { httpPort, httpsPort, statusPort }: Ports,
  directives: string,
): string {
  return `  keepalive_timeout 75s;
  # A connection that ends while streams are under way is an error to h2load, and so for all proxies alike.
  keepalive_requests 100000000;
  client_body_buffer_size 8k;
  tcp_nodelay on;
  server_tokens off;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream app {
    server 127.0.0.1:${site.backendPort};
    keepalive 320;
    keepalive_requests 100000000;
    keepalive_timeout 60s;
  }
${grpcMethods.map((method) => grpcUpstream(method.name, site[method.port])).join('')}  server { listen 127.0.0.1:${statusPort}; location / { stub_status; } }
  server { listen 127.0.0.1:${httpPort} default_server backlog=4096; return 404; }
  server {
    listen 127.0.0.1:${httpPort};
    listen 127.0.0.1:${httpsPort} ssl http2 backlog=4096;
    server_name ${site.host};
    ssl_certificate ${site.certificateFile};
    ssl_certificate_key ${site.keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    ssl_buffer_size 4k;
${grpcMethods.map(grpcLocation).join('')}    location / {
${directives}${forwardingFields}
      client_max_body_size 1m;
      proxy_http_version 1.1;
      proxy_connect_timeout 5s;
      proxy_send_timeout 60s;
      proxy_read_timeout 60s;
      proxy_buffer_size 64k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;
      proxy_next_upstream error timeout;
      proxy_pass http://app;
    }
  }`
}

function grpcUpstream(name: string, port: number): string {
  return `  upstream ${name} {
    server 127.0.0.1:${port};
    keepalive 320;
    keepalive_requests 100000000;
  }
`
}

function grpcLocation({ name, path }: { readonly name: string; readonly path: string }): string {
  return `    location = ${path} {
${forwardingFields.replaceAll('proxy_set_header', 'grpc_set_header')}
      grpc_pass grpc://${name};
    }
`
}

/** As the template of ingress-nginx sets them. */
const forwardingFields = [
  'Host $http_host',
  'Upgrade $http_upgrade',
  'Connection $connection_upgrade',
  'X-Request-ID $request_id',
  'X-Real-IP $remote_addr',
  'X-Forwarded-For $remote_addr',
  'X-Forwarded-Host $http_host',
  'X-Forwarded-Port $server_port',
  'X-Forwarded-Proto $scheme',
  'X-Forwarded-Scheme $scheme',
  'X-Scheme $scheme',
  'X-Original-Forwarded-For $http_x_forwarded_for',
  'Proxy ""',
]
  .map((field) => `      proxy_set_header ${field};`)
  .join('\n')

const corsAnswers = [
  ['Vary', 'Origin'],
  ...corsFields.map(([name, value]) => [name, value === origin ? '$http_origin' : value] as const),
] as const
const otherAnswers = Object.entries({ ...customFields, ...addedFields })

const policyZone = `  limit_req_zone $binary_remote_addr zone=requests:5m rate=${requestsPerSecond}r/s;`

/**
 * What the template of ingress-nginx writes for the same annotations and options. Without the module for its
 * more_set_headers nginx's own add_header stands for it: what an answer gets must then stand in the block
 * that is in force.
 */
function policyDirectives(headersMore: boolean): string {
  const [everywhere, inBlocks] = headersMore
    ? [otherAnswers.map(setField), corsAnswers.map(setField)]
    : [[], [...corsAnswers, ...otherAnswers].map(addField)]
  const block = inBlocks.map((line) => `        ${line}\n`).join('')
  return `      limit_req zone=requests burst=${requestsPerSecond * burstMultiplier} nodelay;
      if ($http_origin ~* ((${origin.replaceAll('.', '\\.')}))$ ) { set $cors 'true'; }
      if ($request_method = 'OPTIONS') { set $cors \${cors}options; }
      if ($cors = "true") {
${block}      }
      if ($cors = "trueoptions") {
${block}        return 204;
      }
${everywhere.map((line) => `      ${line}\n`).join('')}      proxy_hide_header ${hiddenField.name};
${Object.entries(requestFields)
  .map(([name, value]) => `      proxy_set_header ${name} "${value}";\n`)
  .join('')}`
}

function addField([name, value]: readonly [string, string]): string {
  return `add_header ${name} '${value}' always;`
}

function setField([name, value]: readonly [string, string]): string {
  return `more_set_headers '${name}: ${value}';`
}

/** Starts nginx as the backend: 64 bytes, or 1 MB at /1m, and never the bottleneck. */
export async function startNginxBackend(
  path: string,
  site: Site,
  cores: string,
): Promise<Omit<Backend, 'streamPort'>> {
  const [port = 0, grpcPort = 0] = await freePorts(2)
  const name = `backend-${port}`
  writeFileSync(join(site.folder, '1m'), Buffer.alloc(1_048_576, 'x'))
  const file = join(site.folder, `${name}.conf`)
  writeFileSync(
    file,
    `${prelude(site, name)}
http {
  access_log off;
${temporaryFolders(site, name)}
  keepalive_requests 100000000;
  keepalive_timeout 1h;
  server_tokens off;
  default_type text/plain;
  sendfile on;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 "${'x'.repeat(64)}"; }
    location = ${policiesPath} {
      add_header ${hiddenField.name} "${hiddenField.value}";
      add_header ${seenField.name} "${seenField.variables}";
      return 200 "${'x'.repeat(64)}";
    }
    location = /1m { root ${site.folder}; open_file_cache max=10; }
    client_max_body_size 2m;
  }
  server {
    listen 127.0.0.1:${grpcPort} http2 backlog=4096;
    default_type application/grpc;
    add_trailer grpc-status 0;
    location / { return 200 "${'x'.repeat(37)}"; }
  }
}
`,
  )
  const program = start({
    name,
    file: path,
    args: ['-p', site.folder, '-c', file],
    cores,
    folder: site.folder,
  })
  await waitForPort(port, program)
  return { port, grpcPort, stop: program.stop }
}

/** A backend that runs. */
export interface Backend {
  readonly port: number
  /** Speaks h2c and answers with trailers. */
  readonly grpcPort: number
  /** Speaks h2c and answers with a stream of messages. */
  readonly streamPort: number
  readonly stop: () => Promise<void>
}

function prelude(site: Site, name: string): string {
  // As root nginx drops to a user who cannot read the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  return `${user}daemon off;
worker_processes 1;
pid ${join(site.folder, `${name}.pid`)};
error_log stderr crit;
events { worker_connections 16000; multi_accept on; }`
}

function temporaryFolders(site: Site, name: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${join(site.folder, `${name}-${kind}`)};`)
    .join('\n')
}

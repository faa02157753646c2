import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, start, waitForPort } from './processes.ts'
import { jsonTemplate } from './site.ts'
import type { ProxyBuild, RunningProxy, Setup, Site } from './site.ts'
import { grpcMethods } from './workloads.ts'

const logFormat = jsonTemplate({
  time: '%tr',
  request_id: '%ID',
  client: '%ci',
  method: '%HM',
  host: '%[capture.req.hdr(0),json(utf8s)]',
  path: '%[capture.req.uri,json(utf8s)]',
  status: '%ST',
  bytes_sent: '%B',
  duration: '%Ta',
  upstream: '%si:%sp',
  upstream_duration: '%Tr',
  user_agent: '%[capture.req.hdr(1),json(utf8s)]',
})

/** Starts HAProxy with the same routing and forwarding fields as the others. */
export async function startHaproxy(
  build: ProxyBuild,
  site: Site,
  { logged }: Setup,
): Promise<RunningProxy> {
  const [httpPort = 0, httpsPort = 0, metricsPort = 0] = await freePorts(3)
  const name = `haproxy-${httpPort}`
  const pem = join(site.folder, `${name}.pem`)
  writeFileSync(
    pem,
    readFileSync(site.certificateFile, 'utf8') + readFileSync(site.keyFile, 'utf8'),
  )
  const file = join(site.folder, `${name}.cfg`)
  writeFileSync(
    file,
    `${prelude(logged)}
frontend metrics
  bind 127.0.0.1:${metricsPort}
  http-request use-service prometheus-exporter

frontend web
  bind 127.0.0.1:${httpPort} backlog 4096
  bind 127.0.0.1:${httpsPort} ssl crt ${pem} alpn h2,http/1.1 backlog 4096
${logged ? logging : '  no log'}
${forwardingFields}
  http-request return status 404 unless { req.hdr(Host) -i ${site.host} }
${grpcMethods.map(({ name: own, path }) => `  use_backend ${own} if { path ${path} }`).join('\n')}
  default_backend app

backend app
  http-reuse always
  server app1 127.0.0.1:${site.backendPort}
${grpcMethods.map((method) => grpcBackend(method.name, site[method.port])).join('')}`,
  )
  const program = start({
    name,
    file: build.path,
    args: ['-db', '-f', file],
    cores: site.proxyCores,
    folder: site.folder,
  })
  await waitForPort(httpsPort, program)
  const logFiles = logged ? [program.outputFile] : []
  return { build, pid: program.pid, httpPort, httpsPort, logFiles, stop: program.stop }
}

function grpcBackend(name: string, port: number): string {
  return `
backend ${name}
  http-reuse always
  server ${name}1 127.0.0.1:${port} proto h2
`
}

function prelude(logged: boolean): string {
  return `global
  nbthread 1
  maxconn 4000
  ssl-default-bind-options ssl-min-ver TLSv1.2
${logged ? '  log stdout len 4096 format raw local0 info' : ''}
defaults
  mode http
  option splice-auto
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request 60s
  timeout http-keep-alive 75s
  timeout tunnel 1h
`
}

const logging = `  log global
  capture request header Host len 128
  capture request header User-Agent len 256
  log-format '${logFormat}'`

const forwardingFields = `  unique-id-format %[uuid()]
  unique-id-header X-Request-ID
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Scheme http unless { ssl_fc }
  http-request set-header X-Forwarded-Scheme https if { ssl_fc }
  http-request set-header X-Scheme http unless { ssl_fc }
  http-request set-header X-Scheme https if { ssl_fc }
  http-request del-header Proxy`

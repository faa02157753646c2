import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, start, waitForPort } from './processes.ts'
import type { LogField, ProxyBuild, RunningProxy, Setup, Site } from './site.ts'
import { grpcMethods } from './workloads.ts'

const logFormat: Readonly<Record<LogField, string>> = {
  time: '%START_TIME%',
  request_id: '%REQ(X-REQUEST-ID)%',
  client: '%DOWNSTREAM_REMOTE_ADDRESS%',
  method: '%REQ(:METHOD)%',
  host: '%REQ(:AUTHORITY)%',
  path: '%REQ(:PATH)%',
  status: '%RESPONSE_CODE%',
  bytes_sent: '%BYTES_SENT%',
  duration: '%DURATION%',
  upstream: '%UPSTREAM_HOST%',
  upstream_duration: '%RESPONSE_DURATION%',
  user_agent: '%REQ(USER-AGENT)%',
}

const types = 'type.googleapis.com/envoy'

/** Starts Envoy with the same routing and forwarding fields as the others. */
export async function startEnvoy(
  build: ProxyBuild,
  site: Site,
  { logged }: Setup,
): Promise<RunningProxy> {
  const [httpPort = 0, httpsPort = 0, adminPort = 0] = await freePorts(3)
  const name = `envoy-${httpPort}`
  const logFile = join(site.folder, `${name}.log`)
  const manager = connectionManager(site, logged ? logFile : undefined)
  const configuration = {
    admin: { address: address(adminPort) },
    static_resources: {
      listeners: [
        listener('http', httpPort, manager('http', httpPort), undefined),
        listener('https', httpsPort, manager('https', httpsPort), site),
      ],
      clusters: [
        cluster('app', site.backendPort),
        ...grpcMethods.map(({ name: own, port }) => grpcCluster(own, site[port])),
      ],
    },
  }
  const file = join(site.folder, `${name}.json`)
  writeFileSync(file, JSON.stringify(configuration, undefined, 2))
  const program = start({
    name,
    file: build.path,
    args: ['-c', file, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart'],
    cores: site.proxyCores,
    folder: site.folder,
  })
  await waitForPort(httpsPort, program)
  const logFiles = logged ? [logFile] : []
  return { build, pid: program.pid, httpPort, httpsPort, logFiles, stop: program.stop }
}

function address(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

function listener(name: string, port: number, manager: object, tls: Site | undefined): object {
  const transport = tls === undefined ? {} : { transport_socket: downstreamTls(tls) }
  return { name, address: address(port), filter_chains: [{ filters: [manager], ...transport }] }
}

function downstreamTls(site: Site): object {
  return {
    name: 'tls',
    typed_config: {
      '@type': `${types}.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [
          {
            certificate_chain: { filename: site.certificateFile },
            private_key: { filename: site.keyFile },
          },
        ],
      },
    },
  }
}

function connectionManager(
  site: Site,
  logFile: string | undefined,
): (scheme: string, port: number) => object {
  return (scheme, port) => ({
    name: 'http',
    typed_config: {
      '@type': `${types}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: scheme,
      codec_type: 'AUTO',
      use_remote_address: true,
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      access_log: logFile === undefined ? [] : [accessLog(logFile)],
      route_config: { name: 'routes', virtual_hosts: [virtualHost(site, scheme, port)] },
      http_filters: [
        {
          name: 'router',
          typed_config: { '@type': `${types}.extensions.filters.http.router.v3.Router` },
        },
      ],
    },
  })
}

function virtualHost(site: Site, scheme: string, port: number): object {
  const forwarded: [string, string][] = [
    ['X-Real-IP', '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'],
    ['X-Forwarded-Host', '%REQ(:AUTHORITY)%'],
    ['X-Forwarded-Port', String(port)],
    ['X-Forwarded-Scheme', scheme],
    ['X-Scheme', scheme],
  ]
  return {
    name: 'site',
    domains: [site.host],
    routes: [
      ...grpcMethods.map(({ name, path }) => ({
        match: { path },
        route: { cluster: name, timeout: '60s' },
      })),
      { match: { prefix: '/' }, route: { cluster: 'app', timeout: '60s' } },
    ],
    request_headers_to_add: forwarded.map(([key, value]) => ({
      header: { key, value },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    })),
    request_headers_to_remove: ['Proxy'],
  }
}

function accessLog(file: string): object {
  return {
    name: 'log',
    typed_config: {
      '@type': `${types}.extensions.access_loggers.file.v3.FileAccessLog`,
      path: file,
      log_format: { json_format: logFormat },
    },
  }
}

function grpcCluster(name: string, port: number): object {
  const options = `${types}.extensions.upstreams.http.v3.HttpProtocolOptions`
  return {
    ...cluster(name, port),
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': options,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  }
}

function cluster(name: string, port: number): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    circuit_breakers: {
      thresholds: [{ max_connections: 12000, max_requests: 12000, max_pending_requests: 12000 }],
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
    },
  }
}

import type { StreamLogVariable } from '#src/policies/log-variables.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { commonTime, isoSeconds, LineFormat } from './log-format.ts'
import type { ReadLog } from './log-format.ts'
import { seconds } from './log-text.ts'
import type { Services } from './services.ts'
import type { Tunnel, TunnelOutcome } from './tunnel.ts'
import { upstreamName } from './upstream-name.ts'

interface Source {
  readonly tunnel: Tunnel
  readonly services: Pick<Services, 'wallClock' | 'now'>
}

/** Connections to which no endpoint was found; whatever comes later is a session, as in nginx. */
const unanswered: ReadonlySet<TunnelOutcome> = new Set(['no-endpoint', 'unreachable', 'timeout'])

const readers: Readonly<Record<StreamLogVariable, ReadLog<Source>>> = {
  bytes_received: ({ tunnel }) => String(tunnel.client.bytes),
  bytes_sent: ({ tunnel }) => String(tunnel.upstream?.bytes ?? 0),
  msec: ({ services }) => seconds(services.wallClock()),
  protocol: () => 'TCP',
  proxy_protocol_addr({ tunnel }) {
    const peer = tunnel.client.connection?.peer
    return peer === undefined || peer.socketAddress === peer.address ? '' : peer.address
  },
  proxy_upstream_name: ({ tunnel }) => `tcp-${upstreamName(tunnel.stream.backend.backend)}`,
  remote_addr: ({ tunnel }) => tunnel.client.connection?.peer.address ?? '',
  remote_port: ({ tunnel }) => String(tunnel.client.connection?.peer.port ?? ''),
  server_addr: ({ tunnel }) => tunnel.client.connection?.peer.localAddress ?? '',
  server_port: ({ tunnel }) => String(tunnel.entry.port),
  session_time: (_source, durationMs) => seconds(durationMs),
  ssl_preread_server_name: ({ tunnel }) => tunnel.entry.serverName,
  status: ({ tunnel }) => (unanswered.has(tunnel.outcome) ? '502' : '200'),
  time_iso8601: ({ services }) => isoSeconds(services.wallClock()),
  time_local: ({ services }) => commonTime(services.wallClock()),
  upstream_addr: ({ tunnel }) => tunnel.lastEndpoint?.name ?? '',
  upstream_bytes_received: ({ tunnel }) => String(tunnel.upstream?.bytes ?? 0),
  upstream_bytes_sent: ({ tunnel }) =>
    String(tunnel.upstream === undefined ? 0 : tunnel.client.bytes),
}

const formats = new WeakMap<GlobalOptions, LineFormat<Source>>()

/** The line of an ended TCP connection in the format of the options, which have one. */
export function formattedStreamLine(
  tunnel: Tunnel,
  services: Source['services'],
  options: GlobalOptions,
): string {
  let format = formats.get(options)
  if (format === undefined) {
    // The format of streams is never escaped otherwise (nginx.tmpl).
    format = new LineFormat(
      options.streamLogFormat,
      'default',
      (name) => readers[name as StreamLogVariable],
    )
    formats.set(options, format)
  }
  return format.line({ tunnel, services }, services.now() - tunnel.startedAt)
}

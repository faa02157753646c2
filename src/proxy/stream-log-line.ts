import { isoTime, milliseconds, quoted } from './log-text.ts'
import type { Services } from './services.ts'
import type { Tunnel } from './tunnel.ts'

/** One tunnel as one JSON line, without the line end: the fields of a request that it has. */
export function streamLogLine(
  { client, upstream, stream, entry, lastEndpoint, startedAt, tries, outcome }: Tunnel,
  { wallClock, now }: Pick<Services, 'wallClock' | 'now'>,
): string {
  const { origin, service } = stream.route
  const peer = client.connection?.peer
  return (
    `{"time":"${isoTime(wallClock())}"` +
    `,"protocol":"tcp"` +
    `,"remote_addr":${quoted(peer?.address ?? '')}` +
    `,"port":${entry.port}` +
    `,"host":${quoted(entry.serverName)}` +
    `,"request_bytes":${client.bytes}` +
    `,"response_bytes":${upstream?.bytes ?? 0}` +
    `,"duration_ms":${milliseconds(now() - startedAt)}` +
    `,"namespace":${quoted(origin.namespace)}` +
    `,"${origin.kind.toLowerCase()}":${quoted(origin.name)}` +
    `,"service":${quoted(service)}` +
    `,"upstream_addr":${quoted(lastEndpoint?.name ?? '')}` +
    `,"tries":${tries}` +
    `,"failure":"${outcome === 'served' ? '' : outcome}"}`
  )
}

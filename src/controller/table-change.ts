import type { Logger } from '#src/observe/log.ts'
import type { TableDelta } from '#src/table/table.ts'

/** Logs what a new table changes. Endpoints come and go all the time; the rest is worth a line. */
export function logTableChange(log: Logger, delta: TableDelta, durationMs: number): void {
  const { version, hosts, backends, certificates, listeners, options } = delta
  const fields = {
    version,
    hosts: hosts.size,
    backends: backends.size,
    certificates: certificates.size,
    compileMs: Math.round(durationMs * 10) / 10,
  }
  const others = hosts.size + certificates.size + listeners.size
  if (others > 0 || options !== undefined) log.info('table changed', fields)
  else log.debug('endpoints changed', fields)
}

import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { HandshakeTerms } from '#src/table/table.ts'
import { reportOn } from './findings.ts'
import type { ParsedIngress } from './ingress.ts'
import type { HostTlsValues } from './values/host-tls.ts'

/** How TLS is spoken with the clients of one host; undefined: as everywhere. `owners`: oldest first. */
export function handshakeOf(
  host: string,
  owners: readonly ParsedIngress[],
  diagnostics: Diagnostics,
): HandshakeTerms | undefined {
  const ciphers = firstOf('ssl-ciphers', host, owners, diagnostics)
  const preferred = firstOf('ssl-prefer-server-ciphers', host, owners, diagnostics)
  if (ciphers === undefined && preferred !== false) return undefined
  return { ciphers: ciphers ?? [], preferServerOrder: preferred ?? true }
}

/** The value of the oldest Ingress that has one; others that want another are told. */
function firstOf<Name extends keyof HostTlsValues>(
  key: Name,
  host: string,
  owners: readonly ParsedIngress[],
  diagnostics: Diagnostics,
): HostTlsValues[Name] | undefined {
  const [winner, ...losers] = owners.filter(({ hostTls }) => hostTls[key] !== undefined)
  const value = winner?.hostTls[key]
  for (const loser of losers) {
    if (winner === undefined || String(loser.hostTls[key]) === String(value)) continue
    const { namespace, name } = winner.ingress.metadata
    const message = `${host || 'every other host'} has it from Ingress ${namespace}/${name}, which is older or comes first by name`
    const field = loser.texts.get(key)?.key ?? key
    reportOn(loser.ingress, diagnostics)('host-setting-conflict', field, message)
  }
  return value
}

import { tupleKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import type { Listener } from '#src/table/table.ts'
import type { CompileSettings } from './settings.ts'

/** The hosts that come from Ingresses; both listeners serve them. */
export const ingressGroup = 'ingress'

/** The listeners that the command line asks for: plain and TLS, each unless its port is 0. */
export function compileListeners(
  { httpPort, httpsPort }: CompileSettings,
  proxyProtocol: boolean,
  defaultCertificate: Key | undefined,
): ReadonlyMap<Key, Listener> {
  const listeners = new Map<Key, Listener>()
  const common = { addresses: [], hostGroup: ingressGroup, proxyProtocol }
  for (const [protocol, port] of [['http', httpPort] as const, ['https', httpsPort] as const]) {
    if (port === 0) continue
    const key = tupleKey('listener', protocol)
    const certificate = protocol === 'https' ? defaultCertificate : undefined
    listeners.set(key, { key, protocol, port, ...common, defaultCertificate: certificate })
  }
  return listeners
}

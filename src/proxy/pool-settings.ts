import type { WeightedBackend } from '#src/table/table.ts'
import type { UpstreamTls } from '#src/transport/transport.ts'
import type { PoolSettings } from '#src/upstream/pool.ts'

const plainHttp1: PoolSettings = { protocol: 'http1', tls: undefined }

/**
 * One object per distinct setting, so that pools and TLS contexts can be told apart by identity.
 * Settings that no rule uses any more are forgotten.
 */
export class PoolSettingsCache {
  readonly #settings = new Map<string, { readonly settings: PoolSettings; users: number }>()

  take(use: WeightedBackend): PoolSettings {
    const { protocol, tls, connection } = use
    if (protocol === 'http1' && tls === undefined && connection === undefined) return plainHttp1
    const name = nameOf(protocol, tls, use.followsScheme === true, connection)
    let entry = this.#settings.get(name)
    if (entry === undefined) {
      const settings = protocol === 'auto' ? autoSettings(use) : { protocol, tls, connection }
      entry = { settings, users: 0 }
      this.#settings.set(name, entry)
    }
    entry.users++
    return entry.settings
  }

  release({ protocol, tls, forPlain, connection }: PoolSettings): void {
    const name = nameOf(protocol, tls, forPlain !== undefined, connection)
    const entry = this.#settings.get(name)
    if (entry !== undefined && --entry.users === 0) this.#settings.delete(name)
  }
}

function nameOf(
  protocol: string,
  tls: UpstreamTls | undefined,
  followsScheme: boolean,
  connection: PoolSettings['connection'],
): string {
  return JSON.stringify([protocol, tls ?? null, followsScheme, connection ?? null])
}

function autoSettings(use: WeightedBackend): PoolSettings {
  const { protocol, tls, followsScheme, connection } = use
  const forPlain: PoolSettings =
    connection === undefined ? plainHttp1 : { protocol: 'http1', tls: undefined, connection }
  return {
    protocol,
    tls,
    connection,
    forUpgrades: { protocol: 'http1', tls: tls && { ...tls, alpn: ['http/1.1'] }, connection },
    forPlain: followsScheme === true ? forPlain : undefined,
  }
}

/** How a request connects to its backend. */
export function poolFor(
  pool: PoolSettings,
  upgrade: string,
  scheme: 'http' | 'https',
): PoolSettings {
  if (pool.protocol !== 'auto') return pool
  if (scheme === 'http' && pool.forPlain !== undefined) return pool.forPlain
  return upgrade === '' ? pool : (pool.forUpgrades ?? pool)
}

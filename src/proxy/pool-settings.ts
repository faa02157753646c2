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

  take({ protocol, tls }: WeightedBackend): PoolSettings {
    if (protocol === 'http1' && tls === undefined) return plainHttp1
    const name = nameOf(protocol, tls)
    let entry = this.#settings.get(name)
    if (entry === undefined) {
      entry = { settings: { protocol, tls }, users: 0 }
      this.#settings.set(name, entry)
    }
    entry.users++
    return entry.settings
  }

  release({ protocol, tls }: PoolSettings): void {
    const name = nameOf(protocol, tls)
    const entry = this.#settings.get(name)
    if (entry !== undefined && --entry.users === 0) this.#settings.delete(name)
  }
}

function nameOf(protocol: string, tls: UpstreamTls | undefined): string {
  return JSON.stringify([protocol, tls ?? null])
}

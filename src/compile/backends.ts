import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import type { Key } from '#src/table/keys.ts'
import type { Backend } from '#src/table/table.ts'
import { Memo } from './memo.ts'
import { compileBackend, externalHost } from './services/backends.ts'
import type { CompiledBackend, Target } from './services/backends.ts'
import type { CompileSettings } from './settings.ts'

/** Makes the backends of targets, and keeps what was made of endpoints that did not change. */
export class Backends {
  readonly #settings: CompileSettings
  readonly #memo = new Memo<CompiledBackend>()

  constructor(settings: CompileSettings) {
    this.#settings = settings
  }

  /** In the order of `targets`. What was kept of targets that are not among them is dropped. */
  compile(
    targets: ReadonlyMap<Key, Target>,
    snapshot: Snapshot,
    diagnostics: Diagnostics,
  ): ReadonlyMap<Key, Backend> {
    const backends = new Map<Key, Backend>()
    for (const [key, target] of targets) {
      const { service, port } = target
      const { namespace, name } = service.metadata
      const slices = snapshot.slicesOf(namespace, name)
      const host = externalHost(service)
      const addresses = host === '' ? undefined : snapshot.resolved(host)
      const inputs = [service, port.name, port.externalPort, addresses, ...slices]
      const compiled = this.#memo.get(key, inputs, () =>
        compileBackend(target, snapshot, this.#settings),
      )
      diagnostics.include(compiled.diagnostics)
      backends.set(key, compiled.backend)
    }
    this.#memo.sweep()
    return backends
  }
}

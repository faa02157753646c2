import type { Diagnostic, Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import type { Key } from '#src/table/keys.ts'
import type { Backend } from '#src/table/table.ts'
import { Memo } from './memo.ts'
import { compileBackend, externalHost } from './services/backends.ts'
import type { CompiledBackend, Target } from './services/backends.ts'
import type { CompileSettings } from './settings.ts'

type Targets = ReadonlyMap<Key, Target>

/** What targets came to, and where to begin when only endpoints change. */
interface Made {
  readonly targets: Targets
  readonly snapshot: Snapshot
  readonly backends: ReadonlyMap<Key, Backend>
  /** Of those with findings. */
  readonly found: ReadonlyMap<Key, readonly Diagnostic[]>
  /** Targets by `namespace/name` of their Service. */
  readonly byService: ReadonlyMap<string, readonly Key[]>
  /** Targets that have their addresses from a name. */
  readonly byName: readonly Key[]
}

/** Makes the backends of targets, and keeps what was made of endpoints that did not change. */
export class Backends {
  readonly #settings: CompileSettings
  readonly #memo = new Memo<CompiledBackend>()
  #made: Made | undefined

  constructor(settings: CompileSettings) {
    this.#settings = settings
  }

  /**
   * In the order of `targets`. What was kept of targets that are not among them is dropped. For the same
   * targets as last time, and a later snapshot of the same store, it costs what changed.
   */
  compile(
    targets: Targets,
    snapshot: Snapshot,
    diagnostics: Diagnostics,
  ): ReadonlyMap<Key, Backend> {
    const before = this.#made
    const changed =
      before?.targets === targets ? snapshot.slicesChanged?.(before.snapshot) : undefined
    this.#made =
      before === undefined || changed === undefined
        ? this.#makeAll(targets, snapshot)
        : this.#makeChanged(before, snapshot, changed)
    for (const findings of this.#made.found.values()) diagnostics.include(findings)
    return this.#made.backends
  }

  #makeAll(targets: Targets, snapshot: Snapshot): Made {
    const backends = new Map<Key, Backend>()
    const found = new Map<Key, readonly Diagnostic[]>()
    const byService = new Map<string, Key[]>()
    const byName: Key[] = []
    for (const [key, target] of targets) {
      const { backend, diagnostics } = this.#make(target, snapshot)
      backends.set(key, backend)
      if (diagnostics.length > 0) found.set(key, diagnostics)
      if (externalHost(target.service) !== '') byName.push(key)
      const { namespace, name } = target.service.metadata
      const service = `${namespace}/${name}`
      const others = byService.get(service)
      if (others === undefined) byService.set(service, [key])
      else others.push(key)
    }
    this.#memo.sweep()
    return { targets, snapshot, backends, found, byService, byName }
  }

  #makeChanged(before: Made, snapshot: Snapshot, changed: Iterable<string>): Made {
    const due = [...changed].flatMap((service) => before.byService.get(service) ?? [])
    const others = [...due, ...before.byName].flatMap((key) => {
      const target = before.targets.get(key)
      const compiled = target && this.#make(target, snapshot)
      const same = compiled === undefined || compiled.backend === before.backends.get(key)
      return same ? [] : [{ key, ...compiled }]
    })
    if (others.length === 0) return { ...before, snapshot }
    const backends = new Map(before.backends)
    const found = new Map(before.found)
    for (const { key, backend, diagnostics } of others) {
      backends.set(key, backend)
      if (diagnostics.length === 0) found.delete(key)
      else found.set(key, diagnostics)
    }
    return { ...before, snapshot, backends, found }
  }

  #make(target: Target, snapshot: Snapshot): CompiledBackend {
    const { key, service, port } = target
    const { namespace, name } = service.metadata
    const slices = snapshot.slicesOf(namespace, name)
    const host = externalHost(service)
    const addresses = host === '' ? undefined : snapshot.resolved(host)
    const inputs = [service, port.name, port.externalPort, addresses, ...slices]
    return this.#memo.get(key, inputs, () => compileBackend(target, snapshot, this.#settings))
  }
}

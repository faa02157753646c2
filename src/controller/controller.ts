import type { Registry } from 'prom-client'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { Compiler } from '#src/compile/compiler.ts'
import type { Compiled } from '#src/compile/compiler.ts'
import type { TracingOptions } from '#src/compile/values/tracing.ts'
import { errorStack, errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { sameItems } from '#src/snapshot/equal.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { everyObject } from '#src/snapshot/every-object.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { Store } from '#src/snapshot/store.ts'
import { Resolver } from '#src/sources/names/resolver.ts'
import type { NameLookup } from '#src/sources/names/lookup.ts'
import type { Source, SourceChange, SourceOwner } from '#src/sources/source.ts'
import { diffTables, fullDelta, isEmptyDelta } from '#src/table/delta.ts'
import type { Certificate, RouteTable } from '#src/table/table.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import type { FromControlPlane, KeptCertificate, UnopenedListener } from '#src/workers/messages.ts'
import { CertificatesAhead } from './certificates-ahead.ts'
import {
  createDefaultCertificate,
  defaultCertificateAdder,
  defaultCertificateOf,
} from './default-certificate.ts'
import { FindingsLog, countFindings, shownFinding } from './findings.ts'
import type { Duties, DutyContext } from './duties.ts'
import { ControllerMetrics } from './metrics.ts'
import type { ControlPlaneSettings } from './settings.ts'
import { logTableChange } from './table-change.ts'
import { unopenedFindings } from './unopened.ts'
import { inTime, nextTurn } from './waiting.ts'

/** Certificates expire without any object changing. */
const recompileMs = 3_600_000
/** How long the first table waits for objects that others refer to, … */
const firstWantedMs = 60_000
/** … which may refer to others themselves. */
const wantedRoundsMax = 4
/** How long the first table waits for names to be resolved. */
const firstNamesMs = 3000
const namesMax = 10_000
/** How long a later table waits for certificates to be read. */
const aheadMs = 1000

/** What a source may need of its owner. */
export interface SourceContext {
  /** All objects as of now. */
  readonly objects: () => Iterable<AnyObject>
  /** For metrics of its own. */
  readonly registry: Registry
}

export interface ControllerOptions {
  readonly settings: ControlPlaneSettings
  /** Version that the first table must pass. */
  readonly version: number
  /** The self-signed certificate of an earlier life. */
  readonly certificate: KeptCertificate | undefined
  readonly createSource: (owner: SourceOwner, context: SourceContext) => Source
  readonly lookup: NameLookup
  /** What there is to do apart from compiling. */
  readonly createDuties?: (context: DutyContext) => Duties
  /** Where spans go, with every table. */
  readonly onTracing?: (tracing: TracingOptions | undefined) => void
  readonly post: (message: FromControlPlane) => void
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * The control plane: keeps what the sources say, compiles it, and posts what changed. Whatever users
 * wrote, and even a fault of the compiler, leaves the last table in force.
 */
export class Controller implements SourceOwner {
  readonly #options: ControllerOptions
  readonly #store = new Store()
  readonly #source: Source
  readonly #resolver: Resolver
  readonly #ahead = new CertificatesAhead({
    read: certificateReaders.readCertificate,
    now: () => performance.now(),
    rest: nextTurn,
  })
  #compiler: Compiler
  /** IngressClasses cannot be read. */
  #classesByName = false
  #compileFindings: readonly Diagnostic[] = []
  #unopened: readonly UnopenedListener[] = []
  readonly #metrics = new ControllerMetrics(this.#store)
  readonly #findingsLog: FindingsLog
  readonly #duties: Duties | undefined
  readonly #onName: (() => void)[] = []
  #certificate: Certificate | undefined
  readonly #withDefaultCertificate = defaultCertificateAdder()
  #version: number
  /** The last table that was posted. */
  #table: RouteTable | undefined
  /** The newest findings, and what they were put together from. */
  #findings: readonly Diagnostic[] = []
  #findingParts: readonly unknown[] = []
  #postedDiagnostics = ''
  #started = false
  #timer: NodeJS.Timeout | undefined
  #hourly: NodeJS.Timeout | undefined
  /** When another compilation may begin, on the clock of `performance`. */
  #restUntil = 0

  constructor(options: ControllerOptions) {
    const { settings, log, version } = options
    this.#options = options
    this.#version = version
    this.#findingsLog = new FindingsLog(log)
    this.#compiler = this.#createCompiler()
    this.#source = options.createSource(this, {
      objects: () => everyObject(this.#store.freeze()),
      registry: this.#metrics.registry,
    })
    this.#duties = options.createDuties?.({
      publishedOf: (namespace, name) => this.#store.publishedOf(namespace, name),
      registry: this.#metrics.registry,
    })
    this.#resolver = new Resolver({
      lookup: options.lookup,
      allowLocal: settings.compile.source === 'files',
      namesMax,
      random: Math.random,
      onChange: () => {
        this.#nameChanged()
      },
      schedule: (callback, delayMs) => {
        const timer = setTimeout(callback, delayMs)
        return () => {
          clearTimeout(timer)
        }
      },
    })
  }

  /** Resolves once the first table is posted; rejects when the source cannot be read. */
  async start(): Promise<void> {
    await this.#renewCertificate()
    this.#postSources()
    await this.#startDuties()
    await this.#source.start()
    await inTime(this.#ahead.done(), firstWantedMs)
    const first = await this.#compileWithWanted()
    if (first !== undefined) await this.#namesKnown(first.references.hostnames)
    this.#started = true
    this.#compileNow()
    this.#hourly = setInterval(() => {
      void this.#refresh()
    }, recompileMs)
  }

  /** What cannot be done at all ends a start; in a later life it must not end the rest as well. */
  async #startDuties(): Promise<void> {
    const { log, version } = this.#options
    try {
      await this.#duties?.start()
    } catch (error) {
      if (version === 0) throw error
      log.error('the control plane does less than it should', { error: errorText(error) })
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    clearInterval(this.#hourly)
    this.#started = false
    this.#ahead.forget()
    this.#resolver.stop()
    await this.#duties?.stop()
    await this.#source.stop()
  }

  onChange({ put, deleted }: SourceChange): void {
    // Nothing in it means that the source's own findings have changed.
    let changed = put.length + deleted.length === 0
    for (const { kind, namespace, name } of deleted) {
      changed = this.#store.delete(kind, namespace, name) || changed
    }
    for (const object of put) changed = this.#store.put(object) === 'changed' || changed
    this.#ahead.add(put)
    if (changed) this.#compileSoon()
    // While the first view is awaited, the source alone can say why.
    if (!this.#started && this.#source.diagnostics.length > 0) this.#publishFindings()
  }

  /** Every worker runs this version. */
  settled(version: number): void {
    this.#duties?.settled(version)
  }

  /** Listeners that some worker cannot open, all of them. */
  unopened(listeners: readonly UnopenedListener[]): void {
    this.#unopened = listeners
    if (this.#started) this.#publishFindings()
  }

  /** The metrics of the control plane in the text format. */
  async metrics(): Promise<string> {
    return (await this.#metrics.text()) + (this.#source.metrics?.() ?? '')
  }

  #createCompiler(): Compiler {
    const { compile } = this.#options.settings
    const classes = this.#classesByName ? ({ classes: 'names' } as const) : {}
    const readers = { ...certificateReaders, readCertificate: this.#ahead.read }
    return new Compiler({ ...compile, ...classes }, readers)
  }

  /** Compiles with all that others refer to, as far as it comes in time. */
  async #compileWithWanted(): Promise<Compiled | undefined> {
    let compiled = this.#tryCompile(this.#freeze())
    const deadline = performance.now() + firstWantedMs
    for (let round = 0; compiled !== undefined && round < wantedRoundsMax; round++) {
      const there = this.#source.want?.(compiled.references)
      if (there === undefined) break
      if (!(await inTime(there, deadline - performance.now()))) {
        this.#options.log.warn(
          'not all Secrets and ConfigMaps came in time; the first table is without them',
        )
        break
      }
      await inTime(this.#ahead.done(), deadline - performance.now())
      compiled = this.#tryCompile(this.#freeze())
    }
    return compiled
  }

  /** What changes with time alone. */
  async #refresh(): Promise<void> {
    await this.#renewCertificate()
    this.#compileSoon()
  }

  #nameChanged(): void {
    for (const wake of this.#onName.splice(0)) wake()
    this.#compileSoon()
  }

  /** In a turn of its own, so that changes of one turn are one table; at most half of the time. */
  #compileSoon(): void {
    if (!this.#started || this.#timer !== undefined) return
    this.#timer = setTimeout(
      () => {
        if (this.#ahead.pending) void this.#compileOnceRead()
        else this.#compileNow()
      },
      Math.max(0, this.#restUntil - performance.now()),
    )
  }

  async #compileOnceRead(): Promise<void> {
    await inTime(this.#ahead.done(), aheadMs)
    if (this.#started) this.#compileNow()
  }

  #compileNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const startedAt = performance.now()
    const snapshot = this.#freeze()
    const compiled = this.#tryCompile(snapshot)
    if (compiled !== undefined) {
      this.#resolver.want(compiled.references.hostnames)
      void this.#source.want?.(compiled.references)
      const durationMs = performance.now() - startedAt
      this.#metrics.compiled(durationMs, this.#options.now())
      this.#publish(snapshot, compiled, durationMs)
    }
    this.#ahead.forget()
    const endedAt = performance.now()
    this.#restUntil = endedAt + (endedAt - startedAt)
  }

  #freeze(): Snapshot {
    return this.#store.freeze((name) => this.#resolver.addresses(name))
  }

  #tryCompile(snapshot: Snapshot): Compiled | undefined {
    const byName = this.#source.unreadable?.has('IngressClass') === true
    if (byName !== this.#classesByName) {
      this.#classesByName = byName
      this.#compiler = this.#createCompiler()
    }
    try {
      return this.#compiler.compile(snapshot, this.#options.now())
    } catch (error) {
      this.#metrics.failed()
      this.#options.log.error('the compiler failed; the last table stays in force', {
        error: errorText(error),
        stack: errorStack(error),
      })
      return undefined
    }
  }

  #publish(snapshot: Snapshot, compiled: Compiled, durationMs: number): void {
    const table =
      this.#certificate === undefined
        ? compiled.table
        : this.#withDefaultCertificate(compiled.table, this.#certificate)
    const version = this.#version + 1
    const delta =
      this.#table === undefined
        ? fullDelta(table, version)
        : diffTables(this.#table, table, version)
    const different = !isEmptyDelta(delta)
    if (different) {
      this.#table = table
      this.#version = version
    }
    this.#options.onTracing?.(compiled.tracing)
    this.#compileFindings = compiled.diagnostics
    // Before the table: who sees it in force finds what is said of it.
    const findings = this.#publishFindings()
    this.#postSources()
    if (different) {
      this.#options.post({ kind: 'table', delta })
      logTableChange(this.#options.log, delta, durationMs)
    }
    // Nothing is written into a cluster from what it said some time ago.
    if (this.#source.status.restored === undefined) {
      const { served } = compiled
      this.#duties?.compiled({ version: this.#version, snapshot, served, findings })
    }
  }

  #postSources(): void {
    const { kind, description, ...status } = this.#source.status
    const sources = [{ kind, name: description, ...status }]
    this.#options.post({ kind: 'sources', sources })
  }

  #publishFindings(): readonly Diagnostic[] {
    const { listeners } = this.#table ?? {}
    const parts = [this.#source.diagnostics, this.#unopened, listeners, this.#compileFindings]
    if (sameItems(parts, this.#findingParts)) return this.#findings
    const findings = [
      ...this.#source.diagnostics,
      ...unopenedFindings(this.#unopened, listeners),
      ...this.#compileFindings,
    ]
    this.#findingParts = parts
    this.#findings = findings
    const json = JSON.stringify(findings.map(shownFinding), undefined, 2)
    if (json === this.#postedDiagnostics) return findings
    this.#postedDiagnostics = json
    this.#options.post({ kind: 'diagnostics', json, counts: countFindings(findings) })
    this.#findingsLog.update(findings)
    return findings
  }

  async #renewCertificate(): Promise<void> {
    const { now, post, certificate: kept } = this.#options
    this.#certificate =
      this.#certificate === undefined && kept !== undefined
        ? defaultCertificateOf(kept, now())
        : this.#certificate && defaultCertificateOf(this.#certificate, now())
    if (this.#certificate !== undefined) return
    const certificate = await createDefaultCertificate(now())
    post({ kind: 'certificate', certificate })
    this.#certificate = defaultCertificateOf(certificate, now())
  }

  /** Waits until every name is resolved or known not to be, for a while. */
  async #namesKnown(names: readonly string[]): Promise<void> {
    this.#resolver.want(names)
    const unknown = (): boolean =>
      names.some(
        (name) =>
          this.#resolver.addresses(name) === undefined && this.#resolver.problem(name) === '',
      )
    const deadline = performance.now() + firstNamesMs
    while (unknown() && performance.now() < deadline) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - performance.now())
        this.#onName.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }
}

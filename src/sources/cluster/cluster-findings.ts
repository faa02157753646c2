import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic, DiagnosticCode } from '#src/annotations/diagnostics.ts'
import type { NamedObjects } from './named-objects.ts'
import type { Projector } from './projector.ts'
import { pathOf, rightFor } from './resources.ts'
import type { Target } from './resources.ts'
import type { Trouble } from './reflector.ts'

/** What the findings about a cluster are made of. */
export interface ClusterState {
  readonly server: string
  readonly reflectors: readonly { readonly target: Target; readonly trouble: Trouble | undefined }[]
  /** Kinds of which nothing was heard at some moment of the outage that is on; empty: there is none. */
  readonly silent: ReadonlySet<string>
  readonly named: readonly NamedObjects[]
  readonly projector: Projector
  /** Ingresses are served by the name of this class, because classes cannot be read; '' otherwise. */
  readonly classByName: string
}

/** One failure may be a connection that ended; so many in a row are an outage. */
const failuresMin = 3

/**
 * The kinds that an outage has struck, from those that it had struck before: all that fail when the first
 * has failed for long enough, and until the last one is back. So it is one finding, and not one for each
 * kind that goes or comes.
 */
export function silentKinds(
  before: ReadonlySet<string>,
  reflectors: ClusterState['reflectors'],
): ReadonlySet<string> {
  const failing = reflectors.filter(({ trouble }) => trouble?.refused === false)
  const out = before.size > 0 || failing.some(({ trouble }) => isOutage(trouble))
  if (!out || failing.length === 0) return before.size === 0 ? before : new Set()
  const kinds = failing.map(({ target }) => target.kind).filter((kind) => !before.has(kind))
  return kinds.length === 0 ? before : new Set([...before, ...kinds])
}

function isOutage(trouble: Trouble | undefined): boolean {
  return trouble !== undefined && trouble.failures >= failuresMin
}
/** Single objects that are named in findings. */
const refusedShownMax = 20

/** What is wrong with the cluster as a source. Stable while nothing changes. */
export function clusterFindings(state: ClusterState): readonly Diagnostic[] {
  const diagnostics = new Diagnostics()
  const report = (code: DiagnosticCode, kind: string, name: string, message: string): void => {
    diagnostics.report(code, { kind, namespace: '', name, field: '', file: '' }, message)
  }
  const troubled = state.reflectors.filter(({ trouble }) => trouble !== undefined)
  for (const { target, trouble } of troubled) {
    if (trouble?.refused !== true) continue
    if (target.kind === 'IngressClass' && state.classByName !== '') {
      const message = `IngressClasses cannot be read; Ingresses of class ${state.classByName} are served by that name`
      report('class-by-name', 'IngressClass', '', message)
    } else report('access-denied', target.kind, target.name, refusalText(target, trouble))
  }
  if (state.silent.size > 0) {
    const kinds = [...state.silent].toSorted().join(', ')
    report('cluster-unreachable', 'Cluster', state.server, `does not tell about ${kinds}`)
  }
  for (const named of state.named) reportNamed(named, report)
  for (const found of state.projector.findings) diagnostics.include(found)
  return diagnostics.list
}

function refusalText(target: Target, { error }: Trouble): string {
  const unknown = 'status' in error && error.status === 404
  if (unknown) return `the API server does not know ${pathOf(target.kind, target.namespace)}`
  return `RBAC does not allow to ${rightFor(target)}`
}

function reportNamed(
  named: NamedObjects,
  report: (code: DiagnosticCode, kind: string, name: string, message: string) => void,
): void {
  const { kind, leftOut, leftOutBySize, scopes } = named
  if (leftOut > 0) {
    const { count, bytesMax } = leftOutBySize
    const why = count === 0 ? '' : `, ${count} of them for want of room within ${bytesMax} bytes`
    report('references-left-out', kind, '', `${leftOut} that are referred to are not read${why}`)
  }
  let shown = 0
  for (const { refusedObjects } of scopes) {
    for (const key of refusedObjects) {
      if (shown++ >= refusedShownMax) return
      report('access-denied', kind, key, `RBAC does not allow to get ${kind} ${key}`)
    }
  }
}

import type { Diagnostic, DiagnosticCode } from '#src/annotations/diagnostics.ts'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import { ownershipOf } from '#src/compile/classes.ts'
import type { Compiler } from '#src/compile/compiler.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { Ingress } from '#src/snapshot/objects.ts'
import type { Projected } from '#src/snapshot/project.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import type { HostIndex } from './related.ts'

/** What would become of an Ingress. */
export interface Judgement {
  /** What would not work, as long as the Ingress stays as it is. */
  readonly faults: readonly Diagnostic[]
  /** What would differ, is wrong with other objects, or was wrong before. */
  readonly warnings: readonly Diagnostic[]
}

export interface JudgeContext {
  readonly snapshot: Snapshot
  readonly settings: CompileSettings
  /** Of these settings. What it made of objects for one review serves the next. */
  readonly compiler: Compiler
  /** Follows the snapshot. */
  readonly index: Pick<HostIndex, 'related'>
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/**
 * Findings that other objects decide, which may come later or change: whoever applies a folder brings
 * an Ingress before its Service, and a certificate is asked for after it.
 */
const decidedElsewhere = new Set<DiagnosticCode>([
  'class-missing',
  'configmap-missing',
  'service-missing',
  'service-port-missing',
  'endpoint-invalid',
  'name-unresolved',
  'secret-missing',
  'client-authorities-missing',
  'reference-secret-missing',
  'reference-configmap-missing',
  'reference-unusable',
  'certificate-invalid',
  'certificate-mismatch',
  'canary-unused',
])

/**
 * Compiles an Ingress together with those that it can meet, in the snapshot as it is, and again
 * without the change: what is wrong now and was not before is what the change brings.
 */
export function judge(ingress: Ingress, context: JudgeContext): Judgement {
  const { snapshot, index, nowMs } = context
  const { namespace, name } = ingress.metadata
  const stored = snapshot.get('Ingress', namespace, name)
  const related = index.related(ingress, stored)
  // A new object is the youngest, whatever it says.
  const createdMs = stored?.metadata.createdMs ?? nowMs
  const put = { ...ingress, metadata: { ...ingress.metadata, createdMs } }
  const old = stored === undefined ? related : [...related, stored]
  const before = new Set(findings(old, context).map(keyOf))
  const after = findings([...related, put], context).filter(
    ({ severity, kind }) => severity !== 'info' && kind === 'Ingress',
  )
  const isOwn = (finding: Diagnostic): boolean =>
    finding.name === name && finding.namespace === namespace
  const brought = after.filter((finding) => !before.has(keyOf(finding)))
  const faults = brought.filter((finding) => isOwn(finding) && isFault(finding))
  const told = after.filter((finding) => isOwn(finding) || brought.includes(finding))
  return { faults, warnings: told.filter((finding) => !faults.includes(finding)) }
}

/** The judgement of an object that is not even a valid Ingress, if it is meant to be ours. */
export function judgeInvalid(
  { problems }: Projected,
  named: Ingress,
  { snapshot, settings }: Pick<JudgeContext, 'snapshot' | 'settings'>,
): Judgement {
  if (ownershipOf(named, snapshot, settings) !== 'ours') return { faults: [], warnings: [] }
  const diagnostics = new Diagnostics()
  const { namespace, name } = named.metadata
  for (const { field, message, harms } of problems) {
    const code = harms === 'object' ? 'object-invalid' : 'field-unknown'
    diagnostics.report(code, { kind: 'Ingress', namespace, name, field, file: '' }, message)
  }
  const { list } = diagnostics
  return { faults: list.filter(isFault), warnings: list.filter((finding) => !isFault(finding)) }
}

function isFault({ severity, code }: Diagnostic): boolean {
  return severity === 'error' && !decidedElsewhere.has(code)
}

function findings(
  ingresses: readonly Ingress[],
  { snapshot, compiler, nowMs }: JudgeContext,
): readonly Diagnostic[] {
  const trial: Snapshot = {
    all: (kind) => (kind === 'Ingress' ? (ingresses as never) : snapshot.all(kind)),
    get: (kind, namespace, name) => snapshot.get(kind, namespace, name),
    slicesOf: (namespace, service) => snapshot.slicesOf(namespace, service),
    resolved: (hostname) => snapshot.resolved(hostname),
  }
  return compiler.compile(trial, nowMs).diagnostics
}

function keyOf({ code, kind, namespace, name, field, message }: Diagnostic): string {
  return JSON.stringify([code, kind, namespace, name, field, message])
}

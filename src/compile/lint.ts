import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic, DiagnosticCode } from '#src/annotations/diagnostics.ts'
import type { AnyObject, Kind } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { compile } from './compile.ts'
import type { CompileInputs } from './compile.ts'
import { sortFindings } from './findings.ts'
import { readService } from './backend-use.ts'
import { readWeight } from './services/endpoints.ts'
import type { CompileSettings } from './settings.ts'

/** Findings that say only that an object of this kind is not there. */
const aboutAbsent: Readonly<Partial<Record<DiagnosticCode, Kind>>> = {
  'class-missing': 'IngressClass',
  'service-missing': 'Service',
  'active-service-unused': 'Service',
  'secret-missing': 'Secret',
  'configmap-missing': 'ConfigMap',
  'reference-secret-missing': 'Secret',
  'stream-configmap-missing': 'ConfigMap',
  'client-authorities-missing': 'Secret',
  'reference-configmap-missing': 'ConfigMap',
}

/**
 * Checks objects as a table would be compiled from them. Whoever lints one Ingress need not bring the
 * cluster along: that an object is missing counts only where others of its kind are given, and without
 * IngressClasses every Ingress is judged. Names are not resolved here, so nothing is said about that.
 */
export function lint(
  objects: readonly AnyObject[],
  snapshotOf: (objects: readonly AnyObject[]) => Snapshot,
  settings: CompileSettings,
  inputs: CompileInputs,
): readonly Diagnostic[] {
  const given = new Set<Kind>(objects.map(({ kind }) => kind))
  const everyClass = !given.has('IngressClass')
  const { diagnostics } = compile(snapshotOf(objects), { ...settings, everyClass }, inputs)
  const found = sortFindings([...diagnostics, ...lintAlone(objects, settings)])
  return found.filter(({ code }) => {
    if (code === 'name-unresolved') return false
    const kind = aboutAbsent[code]
    return kind === undefined || given.has(kind)
  })
}

/** Services and slices are checked though no Ingress leads to them. */
function lintAlone(objects: readonly AnyObject[], settings: CompileSettings): Diagnostic[] {
  const diagnostics = new Diagnostics()
  for (const object of objects) {
    if (object.kind === 'Service') {
      diagnostics.include(readService(object, settings).diagnostics)
    } else if (object.kind === 'EndpointSlice') {
      readWeight(object, settings, diagnostics)
    }
  }
  return diagnostics.list
}

import type { Diagnostic, Diagnostics } from '#src/annotations/diagnostics.ts'
import type { ReportField } from '#src/annotations/schema.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import type { Origin } from '#src/table/table.ts'
import { compareText } from './order.ts'

/** Reports findings about one object, field by field. */
export function reportOn(object: AnyObject, diagnostics: Diagnostics): ReportField {
  const { kind, file, metadata } = object
  const { namespace, name } = metadata
  return (code, field, message) => {
    diagnostics.report(code, { kind, namespace, name, field, file }, message)
  }
}

/** Reports about an object that is not there, but named on the command line. */
export function reportOnMissing(
  kind: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  diagnostics: Diagnostics,
): ReportField {
  return (code, field, message) => {
    diagnostics.report(code, { kind, namespace, name, field, file: '' }, message)
  }
}

/** Where a part of the table comes from. */
export function originOf({ kind, metadata }: AnyObject): Origin {
  return { kind, namespace: metadata.namespace, name: metadata.name }
}

/** Object by object, whatever order they were found in, and each once. */
export function sortFindings(findings: readonly Diagnostic[]): Diagnostic[] {
  const sorted = findings.toSorted(compare)
  return sorted.filter((finding, i) => {
    const before = sorted[i - 1]
    return before === undefined || compare(before, finding) !== 0
  })
}

function compare(a: Diagnostic, b: Diagnostic): number {
  return (
    compareText(a.kind, b.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name) ||
    compareText(a.file, b.file) ||
    compareText(a.field, b.field) ||
    compareText(a.code, b.code) ||
    compareText(a.message, b.message)
  )
}

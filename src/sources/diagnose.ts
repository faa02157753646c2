import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { suggest } from '#src/annotations/suggest.ts'
import { kinds } from '#src/snapshot/objects.ts'
import { isBuiltInGroup } from '#src/snapshot/project.ts'
import type { Projected } from '#src/snapshot/project.ts'

/** What a projection found wrong, as findings for the user. */
export function diagnose({ problems, foreign }: Projected, file: string): Diagnostic[] {
  const diagnostics = new Diagnostics()
  for (const { kind, namespace, name, field, message, harms, known } of problems) {
    const place = { kind, namespace, name, field, file }
    const code = harms === 'object' ? 'object-invalid' : 'field-unknown'
    const meant = suggest(field.slice(field.lastIndexOf('.') + 1), known)
    diagnostics.report(code, place, meant === undefined ? message : `${message}; ${meant} is`)
  }
  for (const { apiVersion, kind, namespace, name } of foreign) {
    const meant = isBuiltInGroup(apiVersion) ? suggest(kind, kinds) : undefined
    if (meant === undefined) continue
    const place = { kind, namespace, name, field: 'kind', file }
    diagnostics.report('kind-unknown', place, `is no kind that is read here; ${meant} is`)
  }
  return diagnostics.list
}

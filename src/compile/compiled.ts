import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { Ingress } from '#src/snapshot/objects.ts'
import type { RouteTable } from '#src/table/table.ts'
import type { References } from './references.ts'
import type { TracingOptions } from './values/tracing.ts'

/** What a snapshot compiles to. */
export interface Compiled {
  readonly table: RouteTable
  /** Sorted, without doubles. */
  readonly diagnostics: readonly Diagnostic[]
  readonly references: References
  /** Our Ingresses that have routes, oldest first. */
  readonly served: readonly Ingress[]
  /** Where spans go; undefined: there are none. */
  readonly tracing: TracingOptions | undefined
}

import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { Logger } from '#src/observe/log.ts'
import type { DiagnosticCounts } from '#src/workers/messages.ts'

/** One finding as /api/diagnostics shows it. */
export interface ShownFinding {
  readonly severity: string
  readonly code: string
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string }
  readonly field: string
  readonly file: string
  readonly message: string
}

export function shownFinding(finding: Diagnostic): ShownFinding {
  const { severity, code, kind, namespace, name, field, file, message } = finding
  return { severity, code, object: { kind, namespace, name }, field, file, message }
}

export function countFindings(findings: readonly Diagnostic[]): DiagnosticCounts {
  const counts = { error: 0, warning: 0, info: 0 }
  for (const { severity } of findings) counts[severity]++
  return counts
}

/** Lines about findings at most, each time they change. */
const linesMax = 50

/** Logs findings that were not there the last time. */
export class FindingsLog {
  readonly #log: Logger
  #known = new Set<string>()

  constructor(log: Logger) {
    this.#log = log
  }

  update(findings: readonly Diagnostic[]): void {
    const known = new Set<string>()
    let lines = 0
    let left = 0
    for (const finding of findings) {
      const key = JSON.stringify(finding)
      known.add(key)
      if (this.#known.has(key)) continue
      if (lines++ < linesMax) this.#write(finding)
      else left++
    }
    if (left > 0) this.#log.warn('more findings: see /api/diagnostics', { count: left })
    this.#known = known
  }

  #write({ severity, code, kind, namespace, name, field, file, message }: Diagnostic): void {
    const object = [kind, [namespace, name].filter(Boolean).join('/')].filter(Boolean).join(' ')
    const fields = { code, object, field, file, problem: message }
    if (severity === 'info') this.#log.debug('finding', fields)
    else this.#log.warn('finding', { severity, ...fields })
  }
}

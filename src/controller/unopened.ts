import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { RouteTable } from '#src/table/table.ts'
import type { UnopenedListener } from '#src/workers/messages.ts'

/**
 * What is said of listeners that some worker cannot open: of a TCP port to the ConfigMap that asks for it,
 * of others to the listener itself. Those that the table has no more are passed over.
 */
export function unopenedFindings(
  unopened: readonly UnopenedListener[],
  listeners: RouteTable['listeners'] | undefined,
): readonly Diagnostic[] {
  const diagnostics = new Diagnostics()
  for (const { key, problem } of unopened) {
    const listener = listeners?.get(key)
    if (listener === undefined) continue
    const { port, stream } = listener
    const { kind, namespace, name } = stream?.origin ?? {
      kind: 'Listener',
      namespace: '',
      name: String(port),
    }
    const field = stream === undefined ? '' : String(port)
    const place = { kind, namespace, name, field, file: '' }
    diagnostics.report('port-unavailable', place, `cannot be opened: ${problem}`)
  }
  return diagnostics.list
}

import type { Status } from '#src/workers/status.ts'
import type { CommandContext } from './command.ts'
import { askInstance } from './instance.ts'

/** `headgate status`: how a running instance stands; exit code 1 while it is not ready. */
export async function status(context: CommandContext): Promise<number> {
  const found = (await askInstance(context, '/api/status')) as Status
  await context.write(statusText(found))
  return found.ready ? 0 : 1
}

/** The answer of /api/status for people. */
export function statusText(found: Status): string {
  const { version, startedAt, ready, draining, table, workers, controlPlane, sources } = found
  const state = draining ? 'draining' : 'not ready'
  const restarts = Object.values(controlPlane.restarts).reduce((sum, count) => sum + count, 0)
  const lines = [
    `headgate ${version}, ${ready ? 'ready' : state}, since ${startedAt}`,
    `table ${table}`,
    ...workers.map((worker) => {
      const behind = worker.table === table ? '' : ` runs table ${worker.table},`
      return `worker ${worker.id}:${behind} ${worker.connections} connections`
    }),
    `control plane ${controlPlane.running ? 'running' : 'not running'}, ${restarts} restarts`,
    ...sources.map(({ kind, name, synced, objects, restored }) => {
      const from = restored === undefined ? '' : `, as saved at ${restored.savedAt}`
      return `source ${kind} ${name}: ${objects} objects${from}${synced ? '' : ', not read yet'}`
    }),
    `findings: ${found.diagnostics.error} errors, ${found.diagnostics.warning} warnings, ${found.diagnostics.info} notes`,
  ]
  return `${lines.join('\n')}\n`
}

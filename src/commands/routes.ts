import { printTable } from '#src/table/print.ts'
import type { RouteStatus } from '#src/workers/status.ts'
import type { CommandContext } from './command.ts'
import { askInstance } from './instance.ts'
import { compileFolder } from './manifests.ts'
import { compileSettingsOf } from './settings.ts'

/** `headgate routes`: the table of a folder, or the routes of a running instance. */
export async function routes(context: CommandContext): Promise<number> {
  const { values, write, writeError } = context
  if (values.files !== undefined) {
    const { table } = await compileFolder(values.files, compileSettingsOf(values), writeError)
    await write(printTable(table))
    return 0
  }
  const found = (await askInstance(context, '/api/routes')) as RouteStatus[]
  await write(found.map(routeLine).join(''))
  return 0
}

function routeLine({ host, path, pathType, object, policies, backends }: RouteStatus): string {
  const place = `${host === '' ? '(any other)' : host}${path === '' ? ' (default backend)' : path}`
  const uses = backends.map(({ service, weight, algorithm, endpoints }) => {
    const share = backends.length > 1 ? ` weight=${weight}` : ''
    const out = endpoints.draining + endpoints.ejected
    return `${service}${share} ${algorithm} ${endpoints.ready} ready${out > 0 ? ` ${out} out` : ''}`
  })
  const rules = policies.length > 0 ? ` [${policies.join(' ')}]` : ''
  const target = uses.length > 0 ? uses.join(', ') : 'none (503)'
  return `${place} ${pathType}${rules} -> ${target}  # ${object.kind} ${object.namespace}/${object.name}\n`
}

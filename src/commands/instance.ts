import { readFile } from 'node:fs/promises'
import { errorText } from '#src/observe/log.ts'
import { CommandError } from './command.ts'
import type { CommandContext } from './command.ts'
import type { FlagValues } from './flags.ts'
import { askPod } from './pod-proxy.ts'

const timeoutMs = 10_000

/** Asks the admin port of a running instance; gives the JSON of its answer. */
export async function askInstance(context: CommandContext, path: string): Promise<unknown> {
  const { values } = context
  if (isInCluster(values)) return await askPod(context, path, await tokenOf(values))
  const address = values['admin-bind-address'] ?? '127.0.0.1'
  const host = address.includes(':') ? `[${address}]` : address
  const url = `http://${host}:${values['admin-port'] ?? 9180}${path}`
  const token = await tokenOf(values)
  let response: Response
  try {
    response = await fetch(url, {
      headers: token === '' ? {} : { 'X-Headgate-Token': token },
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch {
    throw new CommandError(`no instance answers at ${url}; give --files or --admin-port`)
  }
  const text = await response.text()
  if (!response.ok) throw new CommandError(`${url} answered ${response.status}: ${text.trim()}`)
  return JSON.parse(text)
}

/** Whether the instance is one in a cluster, to be asked through the API server. */
export function isInCluster(values: FlagValues): boolean {
  return values['in-cluster'] === true || values.namespace !== undefined || values.pod !== undefined
}

async function tokenOf(values: FlagValues): Promise<string> {
  const file = values['admin-token-file']
  if (file === undefined) return ''
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new CommandError(`--admin-token-file cannot be read: ${errorText(error)}`)
  }
}

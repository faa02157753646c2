import { mkdir, readFile, stat } from 'node:fs/promises'
import type { StateSettings } from '#src/controller/settings.ts'
import { errorText } from '#src/observe/log.ts'
import { keyLengthMin } from '#src/sources/state/sealing.ts'
import { CommandError } from './command.ts'
import type { FlagValues } from './flags.ts'
import { UsageError } from './parse-flags.ts'
import { productVersion } from './version.ts'

/** Where the last good state is kept; undefined: nowhere. Makes the folder where it alone is missing. */
export async function stateSettingsOf(values: FlagValues): Promise<StateSettings | undefined> {
  const folder = values['state-dir']
  const keyFile = values['state-key-file']
  if (folder === undefined) {
    if (keyFile !== undefined) throw new UsageError('--state-key-file needs --state-dir')
    return undefined
  }
  // Not with its parents: Node tries that for ever where the kernel refuses, as below /proc.
  await mkdir(folder, { mode: 0o700 }).catch(async (error: unknown) => {
    const found = await stat(folder).catch(() => undefined)
    if (found?.isDirectory() === true) return
    throw new CommandError(`--state-dir cannot be made: ${errorText(error)}`)
  })
  const key = keyFile === undefined ? '' : await readKey(keyFile)
  return { folder, key, writtenBy: productVersion() }
}

async function readKey(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`--state-key-file cannot be read: ${errorText(error)}`)
  })
  const key = text.trim()
  if (key.length >= keyLengthMin) return key
  throw new CommandError(
    `--state-key-file must hold ${keyLengthMin} characters or more, got ${key.length}`,
  )
}

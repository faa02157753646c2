import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import type { AnyObject, Kind, Secret } from '#src/snapshot/objects.ts'
import { createSealer } from './sealing.ts'
import type { Sealer } from './sealing.ts'
import { placeOf, stateFileName, stateFormat, stateLimits, stateVersion } from './state-format.ts'
import type { SealedSecret, StateHeader, StateTrailer } from './state-format.ts'

export interface WriteStateOptions {
  readonly folder: string
  readonly objects: Iterable<AnyObject>
  readonly source: string
  /** Kinds that the source has no right to read. */
  readonly unreadable: Iterable<Kind>
  readonly writtenBy: string
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /** '': Secrets are left out. */
  readonly key: string
}

export interface WrittenState {
  /** Bytes on disk. */
  readonly bytes: number
  readonly objects: number
  readonly secretsLeftOut: number
}

/** Text that is made in one go; between two pieces others get their turn. */
const pieceLength = 64 * 1024

/**
 * Writes the state beside the old one and puts it in its place when it is on disk. A failure leaves the
 * old one, and rejects. Readable for this user only.
 */
export async function writeState(options: WriteStateOptions): Promise<WrittenState> {
  const target = join(options.folder, stateFileName)
  const unfinished = `${target}.${process.pid}.tmp`
  const sealer = options.key === '' ? undefined : createSealer(options.key)
  const counts = { objects: 0, secretsLeftOut: 0 }
  const gzip = createGzip({ level: constants.Z_BEST_SPEED })
  const file = createWriteStream(unfinished, { mode: 0o600, flags: 'w', flush: true })
  try {
    await pipeline(Readable.from(pieces(options, sealer, counts), { objectMode: true }), gzip, file)
    await rename(unfinished, target)
    await flushFolder(options.folder)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  return { bytes: file.bytesWritten, ...counts }
}

function* pieces(
  options: WriteStateOptions,
  sealer: Sealer | undefined,
  counts: { objects: number; secretsLeftOut: number },
): Generator<string, void> {
  const hash = createHash('sha256')
  let length = 0
  let text = `${JSON.stringify(headerOf(options, sealer))}\n`
  for (const object of options.objects) {
    if (object.kind === 'Secret' && sealer === undefined) counts.secretsLeftOut++
    else {
      text += `${JSON.stringify(object.kind === 'Secret' ? sealed(object, sealer) : object)}\n`
      counts.objects++
    }
    if (text.length < pieceLength) continue
    length += text.length
    if (length > stateLimits.textBytes) throw new Error('the state is larger than 1 GiB')
    hash.update(text)
    yield text
    text = ''
  }
  hash.update(text)
  const trailer: StateTrailer = { ...counts, sha256: hash.digest('hex') }
  yield `${text}${JSON.stringify(trailer)}\n`
}

function headerOf(options: WriteStateOptions, sealer: Sealer | undefined): StateHeader {
  return {
    format: stateFormat,
    version: stateVersion,
    writtenBy: options.writtenBy,
    source: options.source,
    savedMs: options.nowMs,
    unreadable: [...options.unreadable],
    salt: sealer?.salt ?? '',
    keyId: sealer?.keyId ?? '',
  }
}

function sealed(secret: Secret, sealer: Sealer | undefined): SealedSecret {
  const { namespace, name } = secret.metadata
  const text = sealer?.seal(JSON.stringify(secret), placeOf(namespace, name)) ?? ''
  return { sealed: text, namespace, name }
}

/** The new name is on disk, too. Not every file system can do it, and none needs it to be right. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  try {
    await handle?.sync().catch(() => undefined)
  } finally {
    await handle?.close()
  }
}

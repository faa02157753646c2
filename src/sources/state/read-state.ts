import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { kinds } from '#src/snapshot/objects.ts'
import type { AnyObject, Kind } from '#src/snapshot/objects.ts'
import { createSealer } from './sealing.ts'
import type { Sealer } from './sealing.ts'
import { StateRefused, placeOf, stateFileName, stateFormat } from './state-format.ts'
import { stateLimits, stateVersion } from './state-format.ts'
import type { KeptState, SealedSecret, StateHeader, StateTrailer } from './state-format.ts'

export interface ReadStateOptions {
  readonly folder: string
  /** The source whose state is wanted. */
  readonly source: string
  /** '': sealed Secrets are left out. */
  readonly key: string
}

/**
 * Reads the state of a folder; undefined when there is none. A file that is damaged, of another source
 * or of a format that is not known is refused as a whole: rejects with a StateRefused of one line.
 */
export async function readState(options: ReadStateOptions): Promise<KeptState | undefined> {
  let handle
  try {
    handle = await open(join(options.folder, stateFileName), 'r')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new StateRefused(`it cannot be read: ${code}`)
  }
  const reading = new Reading(options)
  const gunzip = createGunzip()
  const file = handle.createReadStream()
  file.on('error', (error) => gunzip.destroy(error))
  try {
    for await (const chunk of file.pipe(gunzip)) reading.add(chunk as Buffer)
    return reading.end()
  } catch (error) {
    if (error instanceof StateRefused) throw error
    const { code = '' } = error as NodeJS.ErrnoException
    throw new StateRefused(code.startsWith('Z_') ? 'it is damaged' : `it cannot be read: ${code}`)
  } finally {
    file.destroy()
    gunzip.destroy()
  }
}

/** Lines as they come. Nothing is given out before the checksum at the end. */
class Reading {
  readonly #options: ReadStateOptions
  readonly #hash = createHash('sha256')
  readonly #decoder = new TextDecoder()
  readonly #objects: AnyObject[] = []
  #rest = ''
  #bytes = 0
  #header: StateHeader | undefined
  #sealer: Sealer | undefined
  #trailer: StateTrailer | undefined
  #unopened = 0

  constructor(options: ReadStateOptions) {
    this.#options = options
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > stateLimits.textBytes) throw new StateRefused('it is larger than 1 GiB')
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > stateLimits.lineLength) throw new StateRefused('it is damaged')
    for (const line of lines) this.#line(line)
  }

  end(): KeptState {
    const { savedMs, unreadable = [] } = this.#header ?? {}
    const { objects, secretsLeftOut, sha256 } = this.#trailer ?? {}
    const whole = this.#rest === '' && sha256 === this.#hash.digest('hex')
    if (!whole || savedMs === undefined || objects !== this.#objects.length + this.#unopened) {
      throw new StateRefused('it is damaged or not whole')
    }
    const leftOut = (secretsLeftOut ?? 0) + this.#unopened
    return { objects: this.#objects, unreadable, savedMs, secretsLeftOut: leftOut }
  }

  #line(line: string): void {
    const value = parse(line)
    if (this.#header === undefined) this.#begin(value as unknown as StateHeader)
    else if (this.#trailer !== undefined) throw new StateRefused('it is damaged')
    else if ('sha256' in value) {
      this.#trailer = value as unknown as StateTrailer
      return
    } else if ('sealed' in value) this.#open(value as unknown as SealedSecret)
    else this.#take(value)
    this.#hash.update(`${line}\n`)
  }

  #begin(header: StateHeader): void {
    const { version, source, salt, keyId, writtenBy } = header
    const format: string = header.format
    if (format !== stateFormat) throw new StateRefused('it is no state of Headgate')
    if (version !== stateVersion) {
      const wanted = `this version reads ${stateVersion}`
      throw new StateRefused(`it has format ${version}, written by ${writtenBy}; ${wanted}`)
    }
    if (source !== this.#options.source) {
      throw new StateRefused(`it is that of ${source}, not of ${this.#options.source}`)
    }
    this.#header = header
    if (this.#options.key === '' || salt === '') return
    const sealer = createSealer(this.#options.key, salt)
    if (sealer.keyId === keyId) this.#sealer = sealer
  }

  #open({ sealed, namespace, name }: SealedSecret): void {
    const text = this.#sealer?.open(sealed, placeOf(namespace, name))
    if (text !== undefined) this.#take(parse(text))
    else if (this.#sealer === undefined) this.#unopened++
    else throw new StateRefused('a Secret in it was changed')
  }

  #take(value: Readonly<Record<string, unknown>>): void {
    const { kind, metadata } = value as {
      kind?: unknown
      metadata?: Readonly<Record<string, unknown>>
    }
    const known = kinds.includes(kind as Kind) && typeof metadata?.['name'] === 'string'
    if (!known) throw new StateRefused('it holds something that is no object')
    this.#objects.push(value as unknown as AnyObject)
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Refused below.
  }
  throw new StateRefused('it is no state of Headgate, or damaged')
}

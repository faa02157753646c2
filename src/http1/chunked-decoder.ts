import { Fields } from '#src/exchange/fields.ts'
import { CR, LF, SPACE, TAB, hexValue, valueClass } from './characters.ts'
import { incomplete } from './field-scanner.ts'
import type { NameRules } from './field-scanner.ts'
import { HeadBuffer } from './head-buffer.ts'
import { readTrailers } from './trailers.ts'

/** Bytes of chunk extensions in one message. They are dropped, so nobody needs more. */
const extensionBytesMax = 16 * 1024
const trailerBytesMax = 16 * 1024
/** Leading zeros included; 16 would do for any size there is. */
const sizeDigitsMax = 16
const SEMICOLON = 0x3b

/** States in which single bytes matter. */
type LineState =
  | 'size'
  | 'digits'
  | 'before-extension'
  | 'extension'
  | 'size-line-feed'
  | 'data-return'
  | 'data-line-feed'

type State = LineState | 'data' | 'trailers' | 'done' | 'failed'

export type ChunkedProblem = 'malformed-body' | 'chunk-extensions-too-large' | 'trailers-too-large'

/**
 * Takes the chunked coding off a body (RFC 9112 7.1), in whatever pieces it arrives. Data is passed
 * on where it lies. Strict: sizes are hexadecimal digits only, each line ends with CRLF, extensions
 * are bounded in all, trailers are read like heads.
 */
export class ChunkedDecoder {
  /** Data of the last step, in the buffer that it was given. */
  dataStart = 0
  dataEnd = 0
  /** Set once the message is over and had trailer fields. */
  trailers: Fields | undefined
  problem: ChunkedProblem = 'malformed-body'
  #state: State = 'size'
  /** Size of the chunk; while in its data, what is left of it. */
  #size = 0
  #digits = 0
  #extensionBytes = 0
  #trailerBytes: HeadBuffer | undefined
  readonly #rules: NameRules | undefined

  constructor(rules: NameRules | undefined) {
    this.#rules = rules
  }

  get done(): boolean {
    return this.#state === 'done'
  }

  get failed(): boolean {
    return this.#state === 'failed'
  }

  /** Reads on from `from`, up to the end of one piece of data. Returns the position reached. */
  read(buffer: Buffer, from: number, end: number): number {
    this.dataStart = from
    this.dataEnd = from
    let at = from
    while (at < end) {
      const state = this.#state
      if (state === 'data') return this.#readData(at, end)
      if (state === 'trailers') return this.#readTrailers(buffer, at, end)
      if (state === 'done' || state === 'failed') return at
      this.#state = this.#next(state, buffer[at++] as number)
    }
    return at
  }

  #readData(at: number, end: number): number {
    const size = Math.min(end - at, this.#size)
    this.#size -= size
    if (this.#size === 0) this.#state = 'data-return'
    this.dataStart = at
    this.dataEnd = at + size
    return this.dataEnd
  }

  #next(state: LineState, byte: number): State {
    let next: State
    switch (state) {
      case 'size':
        next = this.#digit(byte)
        break
      case 'digits':
        next = (hexValue[byte] as number) >= 0 ? this.#digit(byte) : this.#afterSize(byte)
        break
      case 'before-extension':
        next = byte === CR ? 'failed' : this.#afterSize(byte)
        break
      case 'extension':
        next = this.#extension(byte)
        break
      case 'size-line-feed':
        next = must(byte, LF, this.#size === 0 ? 'trailers' : 'data')
        break
      case 'data-return':
        next = must(byte, CR, 'data-line-feed')
        break
      case 'data-line-feed':
        this.#digits = 0
        next = must(byte, LF, 'size')
        break
    }
    return next
  }

  #digit(byte: number): State {
    const value = hexValue[byte] as number
    if (value < 0 || ++this.#digits > sizeDigitsMax) return 'failed'
    this.#size = this.#size * 16 + value
    return this.#size > Number.MAX_SAFE_INTEGER ? 'failed' : 'digits'
  }

  /** White space is allowed before a semicolon only. */
  #afterSize(byte: number): State {
    if (byte === CR) return 'size-line-feed'
    if (byte === SEMICOLON) return 'extension'
    if (byte !== SPACE && byte !== TAB) return 'failed'
    return this.#countExtension('before-extension')
  }

  #extension(byte: number): State {
    if (byte === CR) return 'size-line-feed'
    if (valueClass[byte] !== 1) return 'failed'
    return this.#countExtension('extension')
  }

  #countExtension(state: State): State {
    if (++this.#extensionBytes <= extensionBytesMax) return state
    this.problem = 'chunk-extensions-too-large'
    return 'failed'
  }

  #readTrailers(buffer: Buffer, at: number, end: number): number {
    if (this.#trailerBytes === undefined && end - at >= 2) {
      if (buffer[at] === CR && buffer[at + 1] === LF) {
        this.#state = 'done'
        return at + 2
      }
    }
    const bytes = (this.#trailerBytes ??= new HeadBuffer(trailerBytesMax, trailerBytesMax))
    const before = bytes.length
    if (!bytes.append(buffer, at, end)) return end
    const fields = new Fields()
    const position = readTrailers(bytes, fields, this.#rules)
    this.#trailerBytes = undefined
    this.#state = position < 0 ? 'failed' : 'done'
    if (position < 0) {
      if (position === incomplete) this.problem = 'trailers-too-large'
      return end
    }
    if (fields.size > 0) this.trailers = fields
    return at + position - before
  }
}

function must(byte: number, wanted: number, next: State): State {
  return byte === wanted ? next : 'failed'
}

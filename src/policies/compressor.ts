import { constants } from 'node:zlib'
import { BrotliCompress, Gzip } from 'minizlib'
import type { BodyFilter, BodySink } from './policy.ts'

export type Coding = 'gzip' | 'br'

/** Bodies that one worker compresses at once: each takes about a megabyte. */
export const compressorsMax = 256

/** Window of brotli in bits: 512 KiB, as nginx's module has it. */
const brotliWindowBits = 19

let running = 0

/** Whether the worker may compress one more body now. */
export function mayCompress(): boolean {
  return running < compressorsMax
}

/**
 * Compresses one body as it passes. What came in one piece leaves in one piece, so that a client of a
 * slow stream never waits for bytes that are here.
 */
export class Compressor implements BodyFilter {
  readonly #stream: Gzip | BrotliCompress
  #sink: BodySink | undefined
  #open = true

  constructor(coding: Coding, level: number) {
    running++
    this.#stream = coding === 'gzip' ? gzip(level) : brotli(level)
    this.#stream.on('data', (chunk: Buffer) => {
      this.#sink?.write(chunk, 0, chunk.length)
    })
  }

  onChunk(buffer: Buffer, start: number, end: number, sink: BodySink): void {
    this.#sink = sink
    this.#stream.write(buffer.subarray(start, end))
  }

  onEnd(sink: BodySink): void {
    this.#sink = sink
    this.#stream.end()
    this.close()
  }

  /** Gives the memory back; the exchange is over, perhaps in the middle of the body. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    running--
    this.#sink = undefined
    this.#stream.close()
  }
}

function gzip(level: number): Gzip {
  return new Gzip({ level, flush: constants.Z_SYNC_FLUSH })
}

function brotli(level: number): BrotliCompress {
  // The library's types leave out `params`, which it hands on to Node as they are.
  const options = {
    flush: constants.BROTLI_OPERATION_FLUSH,
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_LGWIN]: brotliWindowBits,
    },
  }
  return new BrotliCompress(options)
}

import { HpackDecoder } from '#src/http2/hpack/decoder.ts'
import { flag, frameType } from '#src/http2/protocol.ts'

/** Frames as bytes and back, written apart from the code under test. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

export type FieldPair = readonly [name: string, value: string]

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Buffer | string = '',
): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'hex') : payload
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, body])
}

function integer(bits: number, mask: number, value: number): number[] {
  if (value < mask) return [bits | value]
  const bytes = [bits | mask]
  let rest = value - mask
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

function plainString(text: string): Buffer {
  return Buffer.concat([Buffer.from(integer(0, 127, text.length)), Buffer.from(text, 'latin1')])
}

/** A field block of literals: no table, no Huffman code. `first` is 0x00, or 0x10 for "never indexed". */
export function literals(fields: readonly FieldPair[], first = 0): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([first]),
      plainString(name),
      plainString(value),
    ]),
  )
}

export function headers(
  streamId: number,
  fields: readonly FieldPair[],
  flags: number = flag.endHeaders | flag.endStream,
): Buffer {
  return frame(frameType.headers, flags, streamId, literals(fields))
}

export function data(
  streamId: number,
  text: string | Buffer,
  flags: number = flag.endStream,
): Buffer {
  return frame(frameType.data, flags, streamId, Buffer.from(text as string, 'latin1'))
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(increment)
  return frame(frameType.windowUpdate, 0, streamId, payload)
}

export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6)
  for (const [i, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, i * 6)
    payload.writeUInt32BE(value, i * 6 + 2)
  }
  return frame(frameType.settings, 0, 0, payload)
}

export const settingsAck = frame(frameType.settings, flag.ack, 0)

export function reset(streamId: number, code = 8): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(code)
  return frame(frameType.reset, 0, streamId, payload)
}

export const get: readonly FieldPair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a.test'],
]

export const post: readonly FieldPair[] = [[':method', 'POST'], ...get.slice(1)]

/** `count` times some frames, one behind the other. */
export function times(count: number, one: (i: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => one(i)))
}

/** The identifier of the client's stream number `i`, from 0. */
export const stream = (i: number): number => i * 2 + 1

/** Cuts what a session wrote into frames and decodes its field blocks. */
export class FrameLog {
  readonly frames: Frame[] = []
  #rest = Buffer.alloc(0)
  readonly #decoder = new HpackDecoder(4096, 1 << 24)

  add(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < 9 + length) return
      this.frames.push({
        type: this.#rest[3] as number,
        flags: this.#rest[4] as number,
        streamId: this.#rest.readUInt32BE(5),
        payload: Buffer.from(this.#rest.subarray(9, 9 + length)),
      })
      this.#rest = this.#rest.subarray(9 + length)
    }
  }

  /** Frames of one type, of one stream where given. */
  of(type: number, streamId?: number): Frame[] {
    return this.frames.filter(
      (one) => one.type === type && (streamId === undefined || one.streamId === streamId),
    )
  }

  /** Error codes of RST_STREAM for a stream, or of GOAWAY for 0. */
  codes(streamId: number): number[] {
    if (streamId === 0) return this.of(frameType.goaway).map((one) => one.payload.readUInt32BE(4))
    return this.of(frameType.reset, streamId).map((one) => one.payload.readUInt32BE(0))
  }

  /** Body bytes of a stream. */
  body(streamId: number): Buffer {
    return Buffer.concat(this.of(frameType.data, streamId).map((one) => one.payload))
  }

  /** Whether END_STREAM was sent on a stream. */
  ended(streamId: number): boolean {
    return this.frames.some(
      (one) =>
        one.streamId === streamId &&
        (one.type === frameType.data || one.type === frameType.headers) &&
        (one.flags & flag.endStream) !== 0,
    )
  }

  /** Field lists of all HEADERS in order, decoded once: call it once a log. */
  fieldLists(): { streamId: number; fields: FieldPair[] }[] {
    const lists: { streamId: number; fields: FieldPair[] }[] = []
    let block = Buffer.alloc(0)
    for (const one of this.frames) {
      if (one.type !== frameType.headers && one.type !== frameType.continuation) continue
      block = Buffer.concat([block, one.payload])
      if ((one.flags & flag.endHeaders) === 0) continue
      const fields: FieldPair[] = []
      const result = this.#decoder.decode(block, 0, block.length, {
        onField: (name, value) => fields.push([name.name, value]),
      })
      if (result !== 'ok') throw new Error(`field block of stream ${one.streamId}: ${result}`)
      lists.push({ streamId: one.streamId, fields })
      block = Buffer.alloc(0)
    }
    return lists
  }
}

import { flag, frameType } from '#src/http2/protocol.ts'
import { data, frame, get, literals, post, reset, settings, windowUpdate } from './frames.ts'
import type { FieldPair } from './frames.ts'

/** A number from 0 up to, and without, `below`. */
export type Draw = (below: number) => number

/** A small, fast, seeded generator (xorshift, Marsaglia 2003). */
export function seededDraw(seed: number): Draw {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

/** One of the values. */
export function pick<Value>(draw: Draw, values: readonly Value[]): Value {
  return values[draw(values.length)] as Value
}

const oddFields: readonly FieldPair[] = [
  ['x', 'y'],
  ['content-length', '3'],
  ['cookie', 'a=b'],
  ['te', 'trailers'],
  ['connection', 'close'],
  ['X', 'y'],
  ['x', 'a\nb'],
  [':path', '/'],
  ['host', 'a.test'],
  ['expect', '100-continue'],
  ['authorization', 'secret'],
  ['a_b', 'c'],
]

function fieldsOf(draw: Draw): FieldPair[] {
  const base = draw(8) === 0 ? [] : [...(draw(2) === 0 ? get : post)]
  if (draw(20) === 0) base[0] = [':method', 'CONNECT']
  const more = Array.from({ length: draw(4) }, () => pick(draw, oddFields))
  return draw(3) === 0 ? [...base, ...more] : base
}

function payloadOf(draw: Draw, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => draw(256)))
}

type Maker = (draw: Draw, id: number, flags: number) => Buffer

const windowSizes = [0, 1, 100, 4096, 16_384, 65_535, 2 ** 31 - 1]

const makeHeaders: Maker = (draw, id, flags) =>
  frame(frameType.headers, flags, id, literals(fieldsOf(draw)))
const makeData: Maker = (draw, id) => data(id, 'x'.repeat(draw(50)), draw(2))

/** The kinds of frames; those that stand there more than once come more often. */
const makers: readonly Maker[] = [
  makeHeaders,
  makeHeaders,
  makeHeaders,
  makeData,
  makeData,
  (draw, id) => windowUpdate(draw(2) === 0 ? 0 : id, draw(20) === 0 ? draw(2 ** 31) : draw(5000)),
  (draw, id) => reset(id, draw(14)),
  (draw) => settings([draw(10), pick(draw, windowSizes)]),
  (draw) => frame(frameType.ping, draw(2), 0, payloadOf(draw, draw(12) === 0 ? 7 : 8)),
  (draw, id) => frame(frameType.continuation, draw(8), id, literals(fieldsOf(draw).slice(0, 2))),
  (draw, id) => frame(frameType.priority, 0, id, payloadOf(draw, 5)),
  (draw, id) => frame(draw(20), draw(256), draw(4) === 0 ? 0 : id, payloadOf(draw, draw(40))),
]

/** One frame, mostly sensible, for some stream below `streams`; some of them not. */
export function randomFrame(draw: Draw, streams: number): Buffer {
  const id = draw(streams) * 2 + (draw(30) === 0 ? 0 : 1)
  const flags = draw(6) === 0 ? draw(256) : flag.endHeaders | (draw(2) === 0 ? flag.endStream : 0)
  return pick(draw, makers)(draw, id, flags)
}

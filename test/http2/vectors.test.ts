import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { flag, frameType, preface } from '#src/http2/protocol.ts'
import { frame, literals, settings, settingsAck, times } from './support/frames.ts'
import type { FieldPair } from './support/frames.ts'
import { costOf } from './support/measure.ts'
import { RawClient } from './support/raw-client.ts'

/** One entry of vectors/http2.json. */
interface Vector {
  readonly id: string
  readonly title: string
  readonly frames: readonly VectorFrame[]
  readonly expect: readonly (string | { fwd: Forwarded })[]
  readonly flood?: boolean
  readonly maxUp?: number
  readonly times?: number
}

interface VectorFrame {
  readonly op: 'headers' | 'data' | 'frame' | 'continuation' | 'repeat'
  readonly sid: number
  readonly end?: boolean
  readonly open?: boolean
  readonly fields?: readonly FieldPair[]
  readonly text?: string
  readonly type?: number
  readonly flags?: number
  readonly payload?: string
  readonly n?: number
  readonly sidStep?: number
  readonly frames?: readonly VectorFrame[]
}

interface Forwarded {
  readonly has?: Readonly<Record<string, string>>
  readonly hasnt?: readonly string[]
  readonly body?: string
  readonly cookie?: string
  readonly teTrailers?: boolean
  readonly noTrailers?: readonly string[]
}

const vectors = JSON.parse(
  readFileSync(`${import.meta.dirname}/vectors/http2.json`, 'utf8'),
) as Vector[]

type Op = VectorFrame['op']
const encoders: Readonly<Record<Op, (one: VectorFrame, sid: number) => Buffer>> = {
  headers: (one, sid) => block(frameType.headers, one, sid),
  continuation: (one, sid) => block(frameType.continuation, one, sid),
  data: (one, sid) => frame(frameType.data, endOf(one), sid, Buffer.from(one.text ?? '', 'latin1')),
  frame: (one, sid) => frame(one.type ?? 0, one.flags ?? 0, sid, one.payload),
  repeat: (one) =>
    times(one.n ?? 0, (i) =>
      Buffer.concat((one.frames ?? []).map((inner) => bytesOf(inner, i * (one.sidStep ?? 0)))),
    ),
}

function endOf(one: VectorFrame): number {
  return one.end === true ? flag.endStream : 0
}

function block(type: number, one: VectorFrame, sid: number): Buffer {
  const fields = (one.fields ?? []).map(([name, value]): FieldPair => [
    name,
    value.replace('$scheme', 'http'),
  ])
  return frame(type, endOf(one) | (one.open === true ? 0 : flag.endHeaders), sid, literals(fields))
}

function bytesOf(one: VectorFrame, shift = 0): Buffer {
  return encoders[one.op](one, one.sid + shift)
}

/** What came of it, in the words of the vectors. */
function outcomes(client: RawClient, vector: Vector): Set<string> {
  const { log, recorder } = client
  const found = new Set<string>(['any'])
  const codes = [...log.codes(1), ...log.codes(0)]
  if (codes.length > 0) found.add('error')
  const untouched = recorder.requests.every(
    ({ body, resetReason }) => vector.frames.length > 1 && body === '' && resetReason !== '',
  )
  if (
    codes.includes(1) &&
    (untouched || recorder.requests.every((one) => one.resetReason !== ''))
  ) {
    found.add('mal')
  }
  for (const code of log.codes(0)) found.add(`goaway ${code}`)
  if (client.ended) found.add('closed')
  for (const { fields } of log.fieldLists()) {
    const status = fields.find(([name]) => name === ':status')?.[1]
    found.add(`status ${status}`)
  }
  if (
    recorder.requests.length <= 128 &&
    log.frames.some((one) => one.type === 3 && one.payload[3] === 7)
  ) {
    found.add('limit')
  }
  return found
}

function isForwarded(client: RawClient, want: Forwarded): boolean {
  const { requests } = client.recorder
  const request = requests[0]
  if (requests.length !== 1 || request?.resetReason !== '' || !request.ended) return false
  return (
    hasFields(request.fields, want) &&
    [undefined, request.body].includes(want.body) &&
    (want.teTrailers !== true || request.acceptsTrailers) &&
    (want.noTrailers ?? []).every((name) => request.trailers?.includes(name) !== true)
  )
}

function hasFields(pairs: readonly string[], want: Forwarded): boolean {
  const fields = new Map<string, string>()
  for (let i = 0; i < pairs.length; i += 2) fields.set(pairs[i] as string, pairs[i + 1] as string)
  const expected = { ...want.has, ...(want.cookie === undefined ? {} : { cookie: want.cookie }) }
  return (
    Object.entries(expected).every(([name, value]) => fields.get(name) === value) &&
    (want.hasnt ?? []).every((name) => !fields.has(name))
  )
}

function meets(
  expected: string | { fwd: Forwarded },
  client: RawClient,
  found: Set<string>,
): boolean {
  if (typeof expected !== 'string') return isForwarded(client, expected.fwd)
  const [what, codes] = expected.replace(/^tol /, '').replace(/:.*$/, '').split(' ')
  if (what !== 'status') return found.has(expected) || (what === 'error' && found.has('error'))
  return (codes as string).split('|').some((code) => found.has(`status ${code}`))
}

for (const vector of vectors) {
  for (const pieceBytes of [Infinity, 1]) {
    test(`${vector.id} ${vector.title}${pieceBytes === 1 ? ', byte by byte' : ''}`, () => {
      for (let round = 0; round < (vector.times ?? 1); round++) run(vector, pieceBytes)
    })
  }
}

function run(vector: Vector, pieceBytes: number): void {
  const limit = vector.expect.includes('limit')
  const client = new RawClient({ pieceBytes, answer: limit ? 'hold' : 'ok', greet: false })
  client.send(preface, settings(), settingsAck)
  const bytes = vector.frames.map((one) => bytesOf(one))
  if (vector.flood === true) {
    const { cpuMs, retained } = costOf(() => client.send(...bytes))
    assert.ok(cpuMs < 1500, `${cpuMs} ms`)
    assert.ok(retained < 32 * 1024 * 1024, `${retained} bytes`)
  } else {
    client.send(...bytes)
  }
  const found = outcomes(client, vector)
  assert.ok(
    vector.expect.some((expected) => meets(expected, client, found)),
    `${[...found].join(', ')}; ${client.recorder.requests.length} requests`,
  )
  if (vector.maxUp !== undefined) assert.ok(client.recorder.requests.length <= vector.maxUp)
  assert.ok(client.recorder.requests.every(({ target }) => target !== '/evil'))
}

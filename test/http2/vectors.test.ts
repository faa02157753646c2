import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { flag, frameType } from '#src/http2/protocol.ts'
import { frame, literals, preface } from './support/vector-frames.ts'
import type { FieldPair } from './support/frames.ts'
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

function bytesOf(one: VectorFrame, shift = 0): Buffer {
  const sid = one.sid + shift
  const fields = (one.fields ?? []).map(([name, value]): FieldPair => [
    name,
    value.replace('$scheme', 'http'),
  ])
  switch (one.op) {
    case 'headers':
      return frame(
        frameType.headers,
        (one.open === true ? 0 : flag.endHeaders) | (one.end === true ? flag.endStream : 0),
        sid,
        literals(fields),
      )
    case 'continuation':
      return frame(
        frameType.continuation,
        one.open === true ? 0 : flag.endHeaders,
        sid,
        literals(fields),
      )
    case 'data':
      return frame(
        frameType.data,
        one.end === true ? flag.endStream : 0,
        sid,
        Buffer.from(one.text ?? '', 'latin1'),
      )
    case 'frame':
      return frame(one.type ?? 0, one.flags ?? 0, sid, one.payload)
    case 'repeat':
      return Buffer.concat(
        Array.from({ length: one.n ?? 0 }, (_, i) =>
          Buffer.concat((one.frames ?? []).map((inner) => bytesOf(inner, i * (one.sidStep ?? 0)))),
        ),
      )
  }
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
  if (requests.length !== 1 || request === undefined || request.resetReason !== '') return false
  const get = (name: string): string | undefined => {
    const at = request.fields.findIndex((field, i) => i % 2 === 0 && field === name)
    return at < 0 ? undefined : request.fields[at + 1]
  }
  const trailers = request.trailers ?? []
  return (
    request.ended &&
    Object.entries(want.has ?? {}).every(([name, value]) => get(name) === value) &&
    (want.hasnt ?? []).every((name) => get(name) === undefined) &&
    (want.body === undefined || request.body === want.body) &&
    (want.cookie === undefined || get('cookie') === want.cookie) &&
    (want.teTrailers !== true || request.acceptsTrailers) &&
    (want.noTrailers ?? []).every((name) => !trailers.includes(name))
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
      for (let time = 0; time < (vector.times ?? 1); time++) run(vector, pieceBytes)
    })
  }
}

function run(vector: Vector, pieceBytes: number): void {
  const limit = vector.expect.includes('limit')
  const client = new RawClient({ pieceBytes, answer: limit ? 'hold' : 'ok', greet: false })
  client.send(preface)
  const before = { cpu: process.cpuUsage(), heap: process.memoryUsage().rss }
  client.send(...vector.frames.map((one) => bytesOf(one)))
  if (vector.flood === true) {
    const { user, system } = process.cpuUsage(before.cpu)
    assert.ok((user + system) / 1000 < 1500, `took ${(user + system) / 1000} ms`)
    assert.ok(process.memoryUsage().rss - before.heap < 32 * 1024 * 1024)
  }
  const found = outcomes(client, vector)
  assert.ok(
    vector.expect.some((expected) => meets(expected, client, found)),
    `${[...found].join(', ')}; ${client.recorder.requests.length} requests`,
  )
  if (vector.maxUp !== undefined) assert.ok(client.recorder.requests.length <= vector.maxUp)
  assert.ok(client.recorder.requests.every(({ target }) => target !== '/evil'))
}

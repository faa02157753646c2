import { readFileSync } from 'node:fs'
import { flag, frameType } from '#src/http2/protocol.ts'
import { frame, literals, times } from './frames.ts'
import type { FieldPair, FrameLog } from './frames.ts'

/** One entry of vectors/http2.json. */
export interface Vector {
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

export const vectors = JSON.parse(
  readFileSync(`${import.meta.dirname}/../vectors/http2.json`, 'utf8'),
) as Vector[]

type Op = VectorFrame['op']
/** What a vector led to: frames that the client got, requests that were passed on. */
export interface Played {
  readonly log: FrameLog
  /** The connection was ended. */
  readonly ended: boolean
  readonly requests: readonly PlayedRequest[]
}

export interface PlayedRequest {
  /** Flat: name, value, in lower case. */
  readonly fields: readonly string[]
  readonly body: string
  readonly trailers: readonly string[] | undefined
  readonly ended: boolean
  /** Not '': it was given up. */
  readonly resetReason: string
  readonly acceptsTrailers: boolean
}

type Encoder = (one: VectorFrame, sid: number, scheme: 'http' | 'https') => Buffer

const encoders: Readonly<Record<Op, Encoder>> = {
  headers: (one, sid, scheme) => block(frameType.headers, one, sid, scheme),
  continuation: (one, sid, scheme) => block(frameType.continuation, one, sid, scheme),
  data: (one, sid) => frame(frameType.data, endOf(one), sid, Buffer.from(one.text ?? '', 'latin1')),
  frame: (one, sid) => frame(one.type ?? 0, one.flags ?? 0, sid, one.payload),
  repeat: (one, _sid, scheme) =>
    times(one.n ?? 0, (i) =>
      Buffer.concat(
        (one.frames ?? []).map((inner) => bytesOf(inner, scheme, i * (one.sidStep ?? 0))),
      ),
    ),
}

function endOf(one: VectorFrame): number {
  return one.end === true ? flag.endStream : 0
}

// oxlint-disable-next-line max-params -- what a frame is made of
function block(type: number, one: VectorFrame, sid: number, scheme: 'http' | 'https'): Buffer {
  const fields = (one.fields ?? []).map(([name, value]): FieldPair => [
    name,
    value.replace('$scheme', scheme),
  ])
  return frame(type, endOf(one) | (one.open === true ? 0 : flag.endHeaders), sid, literals(fields))
}

/** One frame of a vector as bytes. */
export function bytesOf(one: VectorFrame, scheme: 'http' | 'https', shift = 0): Buffer {
  return encoders[one.op](one, one.sid + shift, scheme)
}

/** What came of it, in the words of the vectors. */
export function outcomesOf(client: Played, vector: Vector): Set<string> {
  const { log, requests } = client
  const found = new Set<string>(['any'])
  const codes = [...log.codes(1), ...log.codes(0)]
  if (codes.length > 0) found.add('error')
  const untouched = requests.every(
    ({ body, resetReason }) => vector.frames.length > 1 && body === '' && resetReason !== '',
  )
  if (codes.includes(1) && (untouched || requests.every((one) => one.resetReason !== ''))) {
    found.add('mal')
  }
  for (const code of log.codes(0)) found.add(`goaway ${code}`)
  if (client.ended) found.add('closed')
  for (const { fields } of log.fieldLists()) {
    const status = fields.find(([name]) => name === ':status')?.[1]
    found.add(`status ${status}`)
  }
  if (requests.length <= 128 && log.frames.some((one) => one.type === 3 && one.payload[3] === 7)) {
    found.add('limit')
  }
  return found
}

function isForwarded({ requests }: Played, want: Forwarded): boolean {
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

/** Whether one of the outcomes that a vector expects is among those found. */
export function meets(
  expected: string | { fwd: Forwarded },
  client: Played,
  found: Set<string>,
): boolean {
  if (typeof expected !== 'string') return isForwarded(client, expected.fwd)
  const [what, codes] = expected.replace(/^tol /, '').replace(/:.*$/, '').split(' ')
  if (what !== 'status') return found.has(expected) || (what === 'error' && found.has('error'))
  return (codes as string).split('|').some((code) => found.has(`status ${code}`))
}

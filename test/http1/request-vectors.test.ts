import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Relay } from './relay.ts'
import type { Recorder } from './relay.ts'
import { readRequests, readResponses, valueOf, valuesOf } from './strict-reader.ts'
import type { Message } from './strict-reader.ts'

/** What U must have read, in an outcome that forwards. */
interface Forwarded {
  readonly target: string
  readonly method?: string
  readonly version?: string
  readonly host?: string | readonly string[]
  readonly body?: string
  readonly cl?: string
  readonly has?: Readonly<Record<string, string>>
  readonly hasnt?: readonly string[]
  readonly re?: Readonly<Record<string, string>>
  readonly managed?: boolean
  readonly teTrailers?: boolean
  readonly closeAfter?: boolean
  readonly interims?: number
}

/** Several requests in one vector: the targets that U must have read, and how it ends. */
interface Sequence {
  readonly seq?: readonly string[]
  readonly firstBody?: number
  readonly close?: boolean
  readonly connClose?: boolean
  readonly tail?: readonly number[]
  readonly custom?: 'earlyUpgrade'
}

type Outcome = string | { fwd: Forwarded } | { local: string } | { wait: true } | { h2c: true }

interface Vector {
  readonly id: string
  readonly title: string
  readonly send: string
  readonly expect: string
  readonly outcomes: readonly Outcome[] | { n: number; any: readonly Sequence[] }
}

const vectors = JSON.parse(
  readFileSync(`${import.meta.dirname}/vectors/requests.json`, 'utf8'),
) as readonly Vector[]

const first = 'GET /first HTTP/1.1\r\nHost: a.test\r\n\r\n'
const fresh = 'GET /fresh HTTP/1.1\r\nHost: a.test\r\n\r\n'

interface Way {
  readonly name: string
  readonly readBytes?: number
  readonly version?: '1.0'
  /** Requests of the way's own, before those of the vector. */
  readonly ahead?: number
  /** What to write, piece after piece; undefined: the way does not apply. */
  pieces(text: string, vector: Vector): string[] | undefined
}

const ways: readonly Way[] = [
  { name: 'whole', pieces: (text) => [text] },
  { name: 'byte by byte', readBytes: 1, pieces: (text) => [text] },
  { name: 'split at each CRLF', pieces: (text) => text.split(/(?<=\r\n)/) },
  { name: 'behind another request', ahead: 1, pieces: (text) => [first + text] },
  { name: 'upstream of HTTP/1.0', version: '1.0', pieces: (text) => [text] },
  {
    name: 'with Connection: close',
    pieces: (text, vector) => {
      if (!Array.isArray(vector.outcomes)) return undefined
      const line = /^(?:\r\n)*[^\r\n]*\r\n/.exec(text)?.[0]
      return line === undefined
        ? undefined
        : [`${line}Connection: close\r\n${text.slice(line.length)}`]
    },
  },
]

/** What a vector led to. */
interface Result {
  readonly relay: Relay
  readonly client: Recorder
  /** Whole requests that U read, and whether it got a part of another. */
  readonly requests: readonly Message[]
  readonly unfinished: boolean
  readonly responses: readonly Message[]
  readonly rest: string
}

for (const vector of vectors) {
  for (const way of ways) {
    const text = Buffer.from(vector.send, 'base64').toString('latin1')
    const pieces = way.pieces(text, vector)
    if (pieces === undefined) continue
    test(`${vector.id} ${vector.title}, ${way.name}`, () => {
      const result = play(pieces, way)
      checkAlways(result, vector)
      const problems = judge(result, vector.outcomes)
      assert.deepEqual(
        problems,
        [],
        `${vector.expect}; got ${JSON.stringify(result.client.received)}`,
      )
      checkFreshRequest(result)
    })
  }
}

function play(pieces: readonly string[], way: Way): Result {
  const relay = new Relay({}, way.readBytes === undefined ? {} : { readBytes: way.readBytes })
  relay.onUpstream = (upstream) => answerWhole(upstream, way.version ?? '1.1')
  const client = relay.client()
  for (const piece of pieces) relay.send(client, piece)
  relay.pass(900)
  const ahead = way.ahead ?? 0
  const readings = relay.upstreams.map((upstream) => readRequests(upstream.received))
  for (const { fault } of readings) assert.equal(fault, '', 'U was sent something invalid')
  const requests = readings.flatMap((reading) => reading.messages.filter(isWhole))
  const unfinished = readings.filter(
    ({ messages, rest }) => rest !== '' || messages.some((message) => !isWhole(message)),
  )
  const responses = readResponses(client.received, requests.map(methodOf), client.ended)
  assert.equal(responses.fault, '', 'C was sent something invalid')
  return {
    relay,
    client,
    requests: requests.slice(ahead),
    unfinished: unfinished.length > 0,
    responses: responses.messages.slice(ahead),
    rest: responses.rest,
  }
}

/** U: answers each whole request, and one of HTTP/1.0 closes then. */
function answerWhole(upstream: Recorder, version: '1.0' | '1.1'): void {
  let answered = 0
  upstream.onPiece = () => {
    const messages = readRequests(upstream.received).messages.filter(isWhole)
    for (; answered < messages.length; answered++) {
      upstream.connection.writeText(`HTTP/${version} 200 OK\r\nContent-Length: 2\r\n\r\nok`)
      if (version === '1.0') upstream.connection.end()
    }
  }
}

function isWhole(message: Message): boolean {
  return message.end === 'framed'
}

function methodOf(message: Message): string {
  return message.startLine.split(' ')[0] ?? ''
}

function targetOf(message: Message): string {
  return message.startLine.split(' ')[1] ?? ''
}

function statusOf(message: Message): number {
  return Number(message.startLine.slice(9, 12))
}

/** What holds after every vector. */
function checkAlways(result: Result, vector: Vector): void {
  const { requests, responses, client } = result
  if (vector.id !== 'H01') {
    assert.ok(!requests.some((request) => targetOf(request).includes('evil')), '/evil reached U')
  }
  for (const word of ['X-Poison', 'FORBID', 'EXTRA']) {
    assert.ok(!client.received.includes(word), `${word} reached C`)
  }
  for (const request of requests) {
    assert.equal(valuesOf(request, 'host').length, 1, 'one Host')
    for (const name of ['keep-alive', 'proxy-connection', 'proxy', 'expect', 'trailer']) {
      assert.equal(valueOf(request, name), undefined, `${name} reached U`)
    }
    const hop = valueOf(request, 'connection')
    assert.match(hop ?? 'TE', /^(TE|Upgrade|close)$/)
  }
  assert.equal(result.rest, '', 'C got bytes that are no response')
  for (const response of responses) assert.equal(response.end, 'framed')
}

function checkFreshRequest({ relay }: Result): void {
  const client = relay.client()
  relay.send(client, fresh)
  assert.match(client.received, /^HTTP\/1\.1 200 .*ok$/s)
}

/** The problems with each outcome; none when one of them fits. */
function judge(result: Result, outcomes: Vector['outcomes']): string[] {
  const problems: string[] = []
  const all = Array.isArray(outcomes) ? outcomes : []
  for (const outcome of all as readonly Outcome[]) {
    const problem = judgeOne(result, outcome)
    if (problem === '') return []
    problems.push(problem)
  }
  if (Array.isArray(outcomes)) return problems
  const { any, n } = outcomes as { n: number; any: readonly Sequence[] }
  if (result.responses.length > n) return [`${result.responses.length} responses`]
  for (const sequence of any) {
    const problem = judgeSequence(result, sequence)
    if (problem === '') return []
    problems.push(problem)
  }
  return problems
}

function judgeOne(result: Result, outcome: Outcome): string {
  const { client, requests, responses } = result
  if (typeof outcome === 'string') {
    if (outcome === 'silent') return client.received === '' ? '' : 'not silent'
    return judgeRefusal(result, /rej ([\d|]+)/.exec(outcome)?.[1] ?? '')
  }
  if ('fwd' in outcome) return judgeForwarded(result, outcome.fwd)
  if ('wait' in outcome) return responses.length === 0 && !client.closed ? '' : 'did not wait'
  if ('h2c' in outcome) return 'no HTTP/2 here'
  if (requests.length > 0) return 'forwarded'
  const [response] = responses
  if (response === undefined) return 'no answer'
  const good = outcome.local === 'any' || String(statusOf(response)).startsWith('2')
  return good ? '' : response.startLine
}

function judgeRefusal(
  { client, requests, responses, relay, unfinished }: Result,
  statuses: string,
): string {
  if (responses.length !== 1) return `${responses.length} responses`
  const status = statusOf(responses[0] as Message)
  if (!statuses.split('|').includes(String(status))) return `status ${status}`
  if (!client.ended) return 'connection stays open'
  if (requests.length > 0) return 'U got a whole request'
  if (unfinished && relay.idle.length > 0) return 'a half-used connection was kept'
  return ''
}

function judgeForwarded({ client, requests, responses }: Result, wanted: Forwarded): string {
  const [request] = requests
  if (request === undefined || requests.length > 1) return `U got ${requests.length} requests`
  const [method, target, version] = request.startLine.split(' ')
  if (target !== wanted.target) return `target ${target}`
  if (wanted.method !== undefined && method !== wanted.method) return `method ${method}`
  if (wanted.version !== undefined && version !== `HTTP/${wanted.version}`) return `${version}`
  if (wanted.body !== undefined && request.body !== wanted.body) return `body ${request.body}`
  const fields = judgeFields(request, wanted)
  if (fields !== '') return fields
  const finals = responses.filter((response) => statusOf(response) >= 200)
  if (finals.length !== 1 || statusOf(finals[0] as Message) !== 200) return 'C got no single 200'
  if (responses.length - finals.length > (wanted.interims ?? 0)) return 'interim responses'
  if (finals[0]?.body !== (method === 'HEAD' ? '' : 'ok')) return 'C got another body'
  return wanted.closeAfter === true && !client.ended ? 'connection stays open' : ''
}

function judgeFields(request: Message, wanted: Forwarded): string {
  const host = valueOf(request, 'host') ?? ''
  if (wanted.host !== undefined && ![wanted.host].flat().includes(host)) return `host ${host}`
  if (wanted.cl !== undefined && valueOf(request, 'content-length') !== wanted.cl) return 'length'
  for (const [name, value] of Object.entries(wanted.has ?? {})) {
    if (valueOf(request, name) !== value) return `${name}: ${valueOf(request, name)}`
  }
  for (const name of wanted.hasnt ?? []) {
    if (valueOf(request, name) !== undefined) return `${name} is there`
  }
  for (const [name, form] of Object.entries(wanted.re ?? {})) {
    if (!new RegExp(form).test(valueOf(request, name) ?? '')) return `${name} has another form`
  }
  if (wanted.managed === true) {
    for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip']) {
      if (valueOf(request, name) === undefined) return `${name} is gone`
    }
  }
  const te = valueOf(request, 'te') ?? 'trailers'
  return wanted.teTrailers === true && te !== 'trailers' ? `te: ${te}` : ''
}

function judgeSequence({ client, requests, responses }: Result, wanted: Sequence): string {
  if (wanted.custom === 'earlyUpgrade') {
    // Either way the bytes behind the offer were read as a request of their own, by P.
    const targets = requests.map(targetOf).join(' ')
    if (targets !== '/ /evil' && targets !== '/') return `U got ${targets}`
    return responses.length === requests.length ? '' : `${responses.length} responses`
  }
  const targets = requests.map(targetOf)
  if (targets.join(' ') !== (wanted.seq ?? []).join(' ')) return `U got ${targets.join(' ')}`
  const statuses = [...targets.map(() => 200), ...(wanted.tail ?? [])]
  if (responses.map(statusOf).join(' ') !== statuses.join(' ')) return 'other responses'
  if (wanted.firstBody !== undefined && requests[0]?.body.length !== wanted.firstBody) return 'body'
  const last = responses.at(-1) as Message
  if (wanted.connClose === true && valueOf(last, 'connection') !== 'close') return 'no close option'
  return wanted.close === true && !client.ended ? 'connection stays open' : ''
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { judge, methodOf, targetOf } from './judge.ts'
import type { Outcomes, Result } from './judge.ts'
import { Relay } from './relay.ts'
import type { Recorder } from './relay.ts'
import { readRequests, readResponses, valueOf, valuesOf } from './strict-reader.ts'
import type { Message } from './strict-reader.ts'

interface Vector {
  readonly id: string
  readonly title: string
  readonly send: string
  readonly expect: string
  readonly outcomes: Outcomes
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

for (const vector of vectors) {
  for (const way of ways) {
    const text = Buffer.from(vector.send, 'base64').toString('latin1')
    const pieces = way.pieces(text, vector)
    if (pieces === undefined) continue
    test(`${vector.id} ${vector.title}, ${way.name}`, () => {
      const relay = new Relay({}, way.readBytes === undefined ? {} : { readBytes: way.readBytes })
      const result = play(relay, pieces, way)
      checkAlways(result, vector)
      const problems = judge(result, vector.outcomes)
      assert.deepEqual(problems, [], `${vector.expect}; got ${JSON.stringify(result.received)}`)
      const client = relay.client()
      relay.send(client, fresh)
      assert.match(client.received, /^HTTP\/1\.1 200 .*ok$/s)
    })
  }
}

function play(relay: Relay, pieces: readonly string[], way: Way): Result {
  relay.onUpstream = (upstream) => answerWhole(upstream, way.version ?? '1.1')
  const client = relay.client()
  for (const piece of pieces) relay.send(client, piece)
  relay.pass(900)
  const ahead = way.ahead ?? 0
  const readings = relay.upstreams.map((upstream) => readRequests(upstream.received))
  for (const { fault } of readings) assert.equal(fault, '', 'U was sent something invalid')
  const requests = readings.flatMap((reading) => reading.messages.filter(isWhole))
  const unfinished = readings.some(({ messages, rest }) => rest !== '' || !messages.every(isWhole))
  const responses = readResponses(client.received, requests.map(methodOf), client.ended)
  assert.equal(responses.fault, '', 'C was sent something invalid')
  assert.equal(responses.rest, '', 'C got bytes that are no response')
  return {
    received: client.received,
    ended: client.ended,
    requests: requests.slice(ahead),
    responses: responses.messages.slice(ahead),
    keptUnfinished: unfinished && relay.idle.length > 0,
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

/** What holds after every vector. */
function checkAlways({ requests, responses, received }: Result, vector: Vector): void {
  if (vector.id !== 'H01') {
    assert.ok(!requests.some((request) => targetOf(request).includes('evil')), '/evil reached U')
  }
  for (const word of ['X-Poison', 'FORBID', 'EXTRA']) {
    assert.ok(!received.includes(word), `${word} reached C`)
  }
  for (const request of requests) {
    assert.equal(valuesOf(request, 'host').length, 1, 'one Host')
    for (const name of ['keep-alive', 'proxy-connection', 'proxy', 'expect', 'trailer']) {
      assert.equal(valueOf(request, name), undefined, `${name} reached U`)
    }
    assert.match(valueOf(request, 'connection') ?? 'TE', /^(TE|Upgrade|close)$/)
  }
  for (const response of responses) assert.equal(response.end, 'framed')
}

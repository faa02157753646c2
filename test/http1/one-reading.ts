import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cut, damage, pieceSizes, sampleRequest, sampleResponse } from './arbitraries.ts'
import type { SampleRequest } from './arbitraries.ts'
import { Relay } from './relay.ts'
import { ScriptedServer } from './scripted.ts'
import { readRequests, readResponses } from './strict-reader.ts'

// Properties that the tests hold for some inputs and the fuzzer for many.

/** What the proxy's side hears when pieces arrive one after the other, and what the client gets. */
function hear(pieces: readonly string[]): string[] {
  const server = new ScriptedServer()
  const client = server.client()
  server.answerAll('ok')
  for (const piece of pieces) server.send(client, piece)
  const heard = server.requests.map(({ line, fields, body, end }) =>
    JSON.stringify([line, fields, body, end]),
  )
  return [...heard, client.received]
}

function wantedOf({ method, target, fields, body, trailers, chunked }: SampleRequest): string {
  const bodyless = !chunked && body === ''
  const ended = trailers.length === 0 ? 'ended' : `ended ${trailers.flat().join('|')}`
  const line = `${method} a.test${target} 11`
  return JSON.stringify([line, fields.flat().join('|'), body, bodyless ? 'none' : ended])
}

export const validRequestsAreReadAsMeant = fc.property(
  fc.array(sampleRequest, { minLength: 1, maxLength: 3 }),
  pieceSizes,
  (requests, sizes) => {
    const text = requests.map((request) => request.text).join('')
    const whole = hear([text])
    assert.deepEqual(whole.slice(0, -1), requests.map(wantedOf))
    assert.deepEqual(hear(cut(text, sizes)), whole)
  },
)

/** What U read and C got when C's pieces arrive one after the other. */
function relayRequests(pieces: readonly string[]): { requests: string[]; statuses: string[] } {
  const relay = new Relay()
  relay.onUpstream = (upstream) => {
    let answered = 0
    upstream.onPiece = () => {
      const reading = readRequests(upstream.received)
      assert.equal(reading.fault, '', `U was sent something invalid: ${upstream.received}`)
      const whole = reading.messages.filter((message) => message.end === 'framed').length
      for (; answered < whole; answered++) {
        upstream.connection.writeText('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      }
    }
  }
  const client = relay.client()
  for (const piece of pieces) relay.send(client, piece)
  relay.pass(80_000, 8000)
  const requests = relay.upstreams
    .flatMap((upstream) => readRequests(upstream.received).messages)
    .filter((message) => message.end === 'framed')
  const methods = requests.map((request) => request.startLine.split(' ')[0] as string)
  const reading = readResponses(client.received, methods, client.ended)
  assert.equal(reading.fault, '', `C was sent something invalid: ${client.received}`)
  assert.equal(reading.rest, '', 'C got bytes that are no response')
  const statuses = reading.messages.map((message) => message.startLine)
  return {
    requests: requests.map(({ startLine, fields, body }) =>
      JSON.stringify([startLine, fields, body]),
    ),
    // A fault in a head that has no end is found at once, or when its time is over.
    statuses: statuses.map((status) => status.replace(/^HTTP\/1\.1 4\d\d .*/, 'refused')),
  }
}

function assertSame(one: readonly string[], other: readonly string[], text: string): void {
  // One of them may have closed early, because of an answer that did not wait for the body.
  const shared = Math.min(one.length, other.length)
  assert.deepEqual(one.slice(0, shared), other.slice(0, shared), JSON.stringify(text))
}

const damages = fc.array(damage, { minLength: 1, maxLength: 4 })

const damagedRequests = fc
  .tuple(fc.array(sampleRequest, { minLength: 1, maxLength: 3 }), damages)
  .map(([requests, hits]) =>
    hits.reduce((text, hit) => hit(text), requests.map((request) => request.text).join('')),
  )

export const damagedRequestsHaveOneReading = fc.property(
  damagedRequests,
  pieceSizes,
  (text, sizes) => {
    const whole = relayRequests([text])
    for (const pieces of [cut(text, sizes), cut(text, [1])]) {
      const other = relayRequests(pieces)
      assertSame(whole.requests, other.requests, text)
      assertSame(whole.statuses, other.statuses, text)
    }
  },
)

/** What C gets whole when U's pieces arrive one after the other; U ends the connection then. */
function relayResponse(pieces: readonly string[], version: string): string[] {
  const relay = new Relay()
  const client = relay.client()
  relay.send(client, `GET /x HTTP/${version}\r\nHost: a.test\r\n\r\n`)
  const [upstream] = relay.upstreams
  assert.ok(upstream !== undefined)
  for (const piece of pieces) {
    upstream.connection.writeText(piece)
    relay.network.run()
  }
  upstream.connection.end()
  relay.network.run()
  relay.pass(3000, 1000)
  const reading = readResponses(client.received, ['GET'], client.ended)
  assert.equal(reading.fault, '', `C was sent something invalid: ${client.received}`)
  assert.equal(reading.rest, '', 'C got bytes that are no response')
  const cutOff = reading.messages.some((message) => message.end === 'cut')
  if (cutOff || reading.messages.length === 0) assert.equal(client.closeReason, 'reset')
  const finals = reading.messages.filter(({ startLine }) => !/^\S+ 1/.test(startLine))
  assert.ok(finals.length <= 1, 'one final response')
  return finals
    .filter((message) => message.end !== 'cut')
    .map(({ startLine, fields, body }) => JSON.stringify([startLine, fields, body]))
}

const damagedResponses = fc
  .tuple(sampleResponse, fc.array(damage, { minLength: 0, maxLength: 4 }))
  .map(([response, hits]) => hits.reduce((text, hit) => hit(text), response))

export const damagedResponsesHaveOneReading = fc.property(
  damagedResponses,
  pieceSizes,
  fc.constantFrom('1.0', '1.1'),
  (text, sizes, version) => {
    const whole = relayResponse([text], version)
    for (const pieces of [cut(text, sizes), cut(text, [1])]) {
      assert.deepEqual(relayResponse(pieces, version), whole, JSON.stringify(text))
    }
  },
)

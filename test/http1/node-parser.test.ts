import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { fieldId } from '#src/exchange/known-fields.ts'
import { RequestHead } from '#src/exchange/heads.ts'
import { Http1ClientSession } from '#src/http1/client-session.ts'
import type { Refusal } from '#src/http1/refusals.ts'
import { MemoryNetwork } from '#test/support/memory-connection.ts'
import { damage, sampleRequest, sampleResponse } from './arbitraries.ts'
import { nodeMethods, readWithNode } from './node-parser.ts'
import type { NodeMessage } from './node-parser.ts'
import { clientOptions } from './relay.ts'
import { HeardResponse, ScriptedServer } from './scripted.ts'
import type { HeardRequest } from './scripted.ts'

// The same bytes through our parser and Node's. Where both take a message they must take it alike;
// where one of them does not, the difference is in the tables below, with its reason, and the
// message must be of that kind.

type Kind = (message: NodeMessage) => boolean

/** What we refuse and Node takes. */
const weAreStricter: Partial<Record<Refusal, Kind>> = {
  // Two spaces between the parts: RFC 9112 3 allows a recipient to take them, and warns of it.
  // An HTTP/0.9 request line has no version.
  'malformed-request-line': () => true,
  // A fragment, bytes that are no URI characters, broken escapes in the path, `*` for other
  // methods,
  // userinfo, other schemes: RFC 9112 3.2 has none of them.
  'malformed-target': ({ url, method }) =>
    /[#\u0080-\uffff]|%(?![\da-f]{2})|^https?:|^[^/]/i.test(url) || method !== 'OPTIONS',
  'unsupported-version': ({ version }) => !version.startsWith('1.'),
  // Node's server looks at Host, its parser does not.
  'missing-host': ({ fields }) => valuesOf(fields, 'host').length === 0,
  'duplicate-host': ({ fields }) => valuesOf(fields, 'host').length > 1,
  'malformed-host': ({ fields }) =>
    !/^[\w.:[\]~-]+$/.test(valuesOf(fields, 'host')[0] ?? '') || true,
  // Two credentials can be taken for either (RFC 9110 5.3).
  'duplicate-credentials': ({ fields }) => valuesOf(fields, 'authorization').length > 1,
  // Codings that we do not have (RFC 9112 6.1), and lists that are none (RFC 9110 5.6.1).
  'unsupported-coding': ({ fields }) => isOtherCoding(fields),
  'malformed-framing': ({ fields, version }) => isOtherCoding(fields) || version === '1.0',
  // Not for an intermediary (RFC 9110 9.3.6, 9.3.8).
  'method-not-allowed': ({ method }) => method === 'CONNECT' || method === 'TRACE',
  // RFC 9110 7.6.2: answered here.
  'no-forwards-left': ({ method }) => method === 'OPTIONS',
  'malformed-max-forwards': ({ method }) => method === 'OPTIONS',
  // RFC 9110 10.1.1: 417 is the answer.
  'unknown-expectation': ({ fields }) => valuesOf(fields, 'expect').length > 0,
  'too-many-fields': ({ fields }) => fields.length > 200,
}

/** What Node refuses and we take. */
const nodeIsStricter: Readonly<Record<string, (request: HeardRequest) => boolean>> = {
  // Node has a list of methods; RFC 9110 9.1 has an open set.
  HPE_INVALID_METHOD: ({ line }) => !nodeMethods.has(line.split(' ')[0] ?? ''),
  // RFC 9110 2.5: a minor version that is not known is read as the highest that is.
  HPE_INVALID_VERSION: () => true,
  // White space behind a value is not part of it, tabs included (RFC 9112 5.1).
  HPE_INVALID_TRANSFER_ENCODING: ({ contentLength }) => contentLength === -1,
}

/** Fields of this hop, and those with unusual names, which nginx drops too. */
const notPassedOn =
  /^(host|connection|content-length|transfer-encoding|upgrade|expect|te|keep-alive|proxy-connection|proxy|proxy-authorization|http2-settings)$|[^a-z\d-]/

function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() === name) values.push(fields[i + 1] as string)
  }
  return values
}

function isOtherCoding(fields: readonly string[]): boolean {
  const codings = valuesOf(fields, 'transfer-encoding')
  return codings.length > 0 && codings.join(', ').toLowerCase() !== 'chunked'
}

function passedOn(fields: readonly string[], alsoGone: RegExp): string {
  const named = valuesOf(fields, 'connection').join(',').toLowerCase().split(',')
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string]
    const lower = name.toLowerCase()
    const isNamed = named.some((option) => option.trim() === lower) && fieldId(lower) === 0
    if (!isNamed && !alsoGone.test(lower)) kept.push(name, value)
  }
  return kept.join('|')
}

function hear(text: string): ScriptedServer {
  const server = new ScriptedServer()
  const client = server.client()
  server.answerAll('')
  server.send(client, text)
  return server
}

function isWhole({ end, upgrade }: HeardRequest): boolean {
  return end === 'none' || end.startsWith('ended') || upgrade !== ''
}

/** Fails where the readings differ in a way that is not listed. */
function compareRequests(text: string): void {
  const { requests, rejected } = hear(text)
  const node = readWithNode(text, 'request')
  const context = JSON.stringify(text)
  const taken = requests.filter(isWhole)
  const takenByNode = node.messages.filter((message) => message.whole)
  const shared = Math.min(taken.length, takenByNode.length)
  for (let i = 0; i < shared; i++) {
    const theirs = takenByNode[i] as NodeMessage
    compareRequest(taken[i] as HeardRequest, theirs, context)
    if (!theirs.keepAlive || theirs.upgrade) return
  }
  const ours = taken[shared]
  const theirs = takenByNode[shared]
  if (ours !== undefined) {
    assert.ok(nodeIsStricter[node.error]?.(ours) === true, `Node: ${node.error}; ${context}`)
  } else if (theirs !== undefined) {
    const code = (rejected[0] ?? '').replace(/^\d+ /, '') as Refusal
    assert.ok(weAreStricter[code]?.(theirs) === true, `We: ${code}; ${context}`)
  }
}

function compareRequest(ours: HeardRequest, theirs: NodeMessage, context: string): void {
  const [method, target] = ours.line.split(' ')
  assert.equal(method, theirs.method, context)
  if (theirs.url.startsWith('/')) {
    assert.equal(target, (valuesOf(theirs.fields, 'host')[0] ?? '') + theirs.url, context)
  }
  const gone =
    ours.contentLength === -1 ? notPassedOn : new RegExp(`${notPassedOn.source}|^trailer$`)
  assert.equal(ours.fields, passedOn(theirs.fields, gone), context)
  assert.equal(ours.body, theirs.body, context)
  const trailers = ours.end.startsWith('ended ') ? ours.end.slice(6) : ''
  assert.equal(trailers, passedOn(theirs.trailers, notPassedOn), context)
}

test('requests: the vectors', () => {
  const vectors = JSON.parse(
    readFileSync(`${import.meta.dirname}/vectors/requests.json`, 'utf8'),
  ) as readonly { send: string }[]
  for (const { send } of vectors) compareRequests(Buffer.from(send, 'base64').toString('latin1'))
})

const damages = fc.array(damage, { minLength: 0, maxLength: 3 })

test('requests: valid ones and damaged ones', () => {
  const texts = fc
    .tuple(fc.array(sampleRequest, { minLength: 1, maxLength: 2 }), damages)
    .map(([requests, hits]) =>
      hits.reduce((text, hit) => hit(text), requests.map((request) => request.text).join('')),
    )
  fc.assert(fc.property(texts, compareRequests), { numRuns: 1500, seed: 20_261_106 })
})

/** What our client role makes of bytes behind which the upstream ends. */
function hearResponse(text: string): HeardResponse {
  const network = new MemoryNetwork()
  const owner = { onIdle: () => undefined, onGone: () => undefined }
  const session = new Http1ClientSession(owner, clientOptions)
  const [opened, upstream] = network.connect(session)
  session.attach(opened)
  const heard = new HeardResponse()
  const head = Object.assign(new RequestHead(), { method: 'GET', target: '/', authority: 'a' })
  const stream = session.open(heard)
  stream.sendHead(head, true)
  stream.flush()
  network.run()
  upstream.writeText(text)
  upstream.end()
  network.run()
  return heard
}

/**
 * Of responses Node takes more; each difference is one of these, or line ends before the status
 * line, which only servers are told to pass over (RFC 9112 2.2).
 */
const laxInResponses: Kind = ({ fields, version, status, upgrade }) =>
  // A framing that we refuse: other codings, or chunks in HTTP/1.0 (RFC 9112 6.1).
  isOtherCoding(fields) ||
  (version === '1.0' && valuesOf(fields, 'transfer-encoding').length > 0) ||
  // Versions that no HTTP/1.1 server answers with (RFC 9112 2.3).
  !/^1\.[01]$/.test(version) ||
  // A status that is none (RFC 9110 15), and switching that nobody asked for.
  status < 100 ||
  status === 101 ||
  upgrade

/**
 * Node does not see the chunked coding where a tab follows it, and reads the body to the end of the
 * connection; RFC 9112 5.1 leaves the white space out.
 */
const tabBehindCoding = /transfer-encoding:[^\r]*\t *\r\n/i

function compareResponses(text: string): void {
  if (tabBehindCoding.test(text)) return
  const heard = hearResponse(text)
  const node = readWithNode(text, 'response')
  const context = JSON.stringify(text)
  const theirs = node.messages.find((message) => message.status >= 200 || message.status === 101)
  const failure = heard.events.find((event) => event.startsWith('failure'))
  const head = heard.events.find((event) => event.startsWith('head'))
  if (failure === undefined) {
    assert.ok(theirs?.whole === true, `Node: ${node.error}; ${context}`)
    assert.equal(head?.split(' ')[1], String(theirs.status), context)
    assert.equal(heard.body, theirs.body, context)
  } else if (theirs?.whole === true) {
    assert.ok(laxInResponses(theirs) || /^[\r\n]/.test(text), `We: ${failure}; ${context}`)
  }
}

test('responses: the vectors', () => {
  const vectors = JSON.parse(
    readFileSync(`${import.meta.dirname}/vectors/responses.json`, 'utf8'),
  ) as readonly { reply: string }[]
  for (const { reply } of vectors) compareResponses(Buffer.from(reply, 'base64').toString('latin1'))
})

test('responses: valid ones and damaged ones', () => {
  const texts = fc
    .tuple(sampleResponse, damages)
    .map(([response, hits]) => hits.reduce((text, hit) => hit(text), response))
  fc.assert(fc.property(texts, compareResponses), { numRuns: 1500, seed: 20_261_106 })
})

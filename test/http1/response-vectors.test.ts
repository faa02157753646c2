import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { statusOf } from './judge.ts'
import { Relay } from './relay.ts'
import type { Recorder } from './relay.ts'
import { readRequests, readResponses, valueOf } from './strict-reader.ts'
import type { Message } from './strict-reader.ts'

interface Outcomes {
  /** A status, `ok` for the upstream's own answer with `ok`, `ok:text`, or `abort`. */
  readonly any: readonly (string | number)[]
  readonly reuse?: boolean
  readonly noReuse?: boolean
  readonly upClosed?: boolean
  readonly noFraming?: boolean
  readonly interims?: readonly number[]
  readonly nowhere?: string
  readonly hasnt?: readonly string[]
  readonly re?: Readonly<Record<string, string>>
  readonly not?: Readonly<Record<string, string>>
}

interface Vector {
  readonly id: string
  readonly title: string
  readonly request: string
  readonly reply: string
  /** What U does after the reply. */
  readonly then: 'keep' | 'fin' | 'rst' | 'hang' | 'late-poison'
  readonly expect: string
  readonly outcomes: Outcomes
}

const vectors = JSON.parse(
  readFileSync(`${import.meta.dirname}/vectors/responses.json`, 'utf8'),
) as readonly Vector[]

interface Way {
  readonly name: string
  readonly readBytes?: number
  readonly version?: string
  readonly connection?: string
  readonly ahead?: boolean
  readonly split?: boolean
}

const ways: readonly Way[] = [
  { name: 'whole' },
  { name: 'byte by byte', readBytes: 1 },
  { name: 'split at each CRLF', split: true },
  { name: 'behind another response', ahead: true },
  { name: 'client of HTTP/1.0', version: '1.0' },
  { name: 'client of HTTP/1.0 that keeps', version: '1.0', connection: 'keep-alive' },
  { name: 'with Connection: close', connection: 'close' },
]

for (const vector of vectors) {
  for (const way of ways) {
    test(`${vector.id} ${vector.title}, ${way.name}`, () => {
      const relay = new Relay({}, way.readBytes === undefined ? {} : { readBytes: way.readBytes })
      const client = play(relay, vector, way)
      const { received, ended } = client
      const methods = way.ahead === true ? ['GET', vector.request] : [vector.request]
      const reading = readResponses(received, methods, ended)
      assert.equal(reading.fault, '', 'C was sent something invalid')
      const responses = reading.messages.slice(way.ahead === true ? 1 : 0)
      const problems = vector.outcomes.any.map((outcome) =>
        judge(responses, client, vector.outcomes, outcome),
      )
      const context = `${vector.expect}; got ${JSON.stringify(received)}`
      assert.ok(problems.includes(''), `${problems.join(', ')}; ${context}`)
      const interims = responses.map(statusOf).filter((status) => status < 200)
      const wanted = way.version === '1.0' ? [] : vector.outcomes.interims
      if (wanted !== undefined) assert.deepEqual(interims, wanted, context)
      judgeUpstream(relay, vector)
      checkFreshRequest(relay)
    })
  }
}

function play(relay: Relay, vector: Vector, way: Way): Recorder {
  const reply = Buffer.from(vector.reply, 'base64').toString('latin1')
  const pieces = way.split === true ? reply.split(/(?<=\r\n)/) : [reply]
  relay.onUpstream = (upstream) => {
    let answered = 0
    upstream.onPiece = () => {
      const requests = readRequests(upstream.received).messages
      for (; answered < requests.length; answered++) {
        if (/ \/(first|fresh) /.test(requests[answered]?.startLine ?? '')) {
          upstream.connection.writeText('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        } else if (pieces.length > 1 || vector.then === 'rst') {
          // Written below, in turns of their own.
        } else {
          upstream.connection.writeText(reply)
          act(upstream, vector)
        }
      }
    }
  }
  const client = relay.client()
  const connection = way.connection === undefined ? '' : `Connection: ${way.connection}\r\n`
  if (way.ahead === true) relay.send(client, 'GET /first HTTP/1.1\r\nHost: a.test\r\n\r\n')
  relay.send(
    client,
    `${vector.request} /x HTTP/${way.version ?? '1.1'}\r\nHost: a.test\r\n${connection}\r\n`,
  )
  const upstream = relay.upstreams.at(-1) as Recorder
  if (pieces.length > 1 || vector.then === 'rst') {
    for (const piece of pieces) {
      if (piece !== '') upstream.connection.writeText(piece)
      relay.network.run()
    }
    act(upstream, vector)
    relay.network.run()
  }
  relay.pass(vector.then === 'hang' ? 3000 : 900)
  return client
}

function act(upstream: Recorder, { then }: Vector): void {
  if (then === 'fin') upstream.connection.end()
  else if (then === 'rst') upstream.connection.reset()
}

/** Why this outcome is not what came, or ''. */
function judge(
  responses: readonly Message[],
  client: Recorder,
  outcomes: Outcomes,
  outcome: string | number,
): string {
  if (client.received.includes(outcomes.nowhere ?? 'nothing of the kind')) return 'leak'
  const finals = responses.filter((response) => statusOf(response) >= 200)
  const whole = finals.find((response) => response.end !== 'cut')
  if (outcome === 'abort') {
    if (!client.closed) return 'connection stays open'
    return whole === undefined ? '' : 'looks whole'
  }
  if (finals.length !== 1 || whole === undefined) return 'no single response'
  if (typeof outcome === 'number') return judgeStatus(whole, outcome, outcomes)
  if (statusOf(whole) !== 200) return whole.startLine
  if (whole.body !== (outcome.split(':')[1] ?? 'ok')) return `body ${whole.body}`
  return judgeFields(whole, outcomes)
}

function judgeStatus(response: Message, status: number, { noFraming }: Outcomes): string {
  if (statusOf(response) !== status) return response.startLine
  if (noFraming !== true || status !== 204) return ''
  const framing = valueOf(response, 'transfer-encoding') ?? valueOf(response, 'content-length')
  return framing === undefined ? '' : `framing ${framing}`
}

function judgeFields(response: Message, { hasnt = [], re = {}, not = {} }: Outcomes): string {
  for (const name of hasnt) if (valueOf(response, name) !== undefined) return `${name} is there`
  for (const [name, form] of Object.entries(re)) {
    if (!new RegExp(form).test(valueOf(response, name) ?? '')) return `${name} has another form`
  }
  for (const [name, value] of Object.entries(not)) {
    if (valueOf(response, name) === value) return `${name} is the upstream's`
  }
  return ''
}

function judgeUpstream(relay: Relay, { outcomes }: Vector): void {
  const upstream = relay.upstreams.at(-1) as Recorder
  const kept = relay.idle.length === 1 && !upstream.closed
  if (outcomes.reuse === true) assert.ok(kept, 'the upstream connection is kept')
  if (outcomes.noReuse === true || outcomes.upClosed === true) {
    assert.ok(!kept, 'the upstream connection is not kept')
  }
  if (outcomes.upClosed === true) assert.ok(upstream.closed, 'the upstream connection is closed')
}

function checkFreshRequest(relay: Relay): void {
  const client = relay.client()
  relay.send(client, 'GET /fresh HTTP/1.1\r\nHost: a.test\r\n\r\n')
  assert.match(client.received, /^HTTP\/1\.1 200 .*ok$/s)
}

import assert from 'node:assert/strict'
import test from 'node:test'
import { frameType } from '#src/http2/protocol.ts'
import { get, headers } from './frames.ts'
import { RawClient } from './raw-client.ts'
import type { RawClientOptions } from './raw-client.ts'

/** `connection 1`: GOAWAY with that code. `stream 1`: RST_STREAM with it. `ok N`: that many answers. */
export type Reaction =
  `connection ${number}` | `stream ${number}` | `ok ${number}` | `status ${number}`

/** Section (of RFC 9113 where no RFC is named), what is sent, how, and what must follow. */
export type Rule = readonly [
  section: string,
  what: string,
  send: readonly Buffer[],
  reaction: Reaction,
  options?: RawClientOptions,
]

/** One test for each rule. After an error of a stream the connection must go on, tables in step. */
export function testRules(rules: readonly Rule[]): void {
  for (const [section, what, send, reaction, options] of rules) {
    const where = /^\d{4}/.test(section) ? section : `9113 ${section}`
    test(`RFC ${where}: ${what}`, () => check(new RawClient(options).send(...send), reaction))
  }
}

function check(client: RawClient, reaction: Reaction): void {
  const { log } = client
  const [kind, number] = reaction.split(' ') as [string, string]
  if (kind === 'connection') {
    assert.deepEqual(log.codes(0), [Number(number)], described(client))
    assert.ok(client.ended)
    return
  }
  assert.deepEqual(log.codes(0), [], described(client))
  client.recorder.answer = 'ok'
  client.send(headers(99, get))
  assert.ok(log.ended(99), described(client))
  if (kind === 'stream') {
    assert.deepEqual([...log.codes(1), ...log.codes(3)], [Number(number)], described(client))
    assert.ok(client.recorder.requests.every((one) => one.target === '/'))
  } else if (kind === 'status') {
    const answer = log.fieldLists().find((one) => one.streamId === 1)
    assert.deepEqual(answer?.fields[0], [':status', number])
    assert.ok(log.ended(1))
  } else {
    assert.equal(log.of(frameType.reset).length, 0, described(client))
    assert.equal(log.fieldLists().length - 1, Number(number))
  }
}

function described({ log }: RawClient): string {
  const resets = log.of(frameType.reset).map((one) => `${one.streamId}:${one.payload[3]}`)
  return `RST_STREAM ${resets.join()}; GOAWAY ${log.codes(0).join()}`
}

import assert from 'node:assert/strict'
import test from 'node:test'
import { preface } from '#src/http2/protocol.ts'
import { settings, settingsAck } from './support/frames.ts'
import { costOf } from './support/measure.ts'
import { RawClient } from './support/raw-client.ts'
import { bytesOf, meets, outcomesOf, vectors } from './support/vectors.ts'
import type { Vector } from './support/vectors.ts'

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
  const bytes = vector.frames.map((one) => bytesOf(one, 'http'))
  if (vector.flood === true) {
    const { cpuMs, retained } = costOf(() => client.send(...bytes))
    assert.ok(cpuMs < 1500, `${cpuMs} ms`)
    assert.ok(retained < 32 * 1024 * 1024, `${retained} bytes`)
  } else {
    client.send(...bytes)
  }
  const { log, ended, recorder } = client
  const played = { log, ended, requests: recorder.requests }
  const found = outcomesOf(played, vector)
  assert.ok(
    vector.expect.some((expected) => meets(expected, played, found)),
    `${[...found].join(', ')}; ${client.recorder.requests.length} requests`,
  )
  if (vector.maxUp !== undefined) assert.ok(client.recorder.requests.length <= vector.maxUp)
  assert.ok(client.recorder.requests.every(({ target }) => target !== '/evil'))
}

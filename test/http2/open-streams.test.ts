import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OpenStreams } from '#src/http2/session/open-streams.ts'
import type { Http2Stream } from '#src/http2/session/stream.ts'

/** As much of a stream as the table looks at. */
function streamOf(id: number): Http2Stream {
  return { id, nextOpen: undefined } as Http2Stream
}

const identifiers = fc.oneof(
  fc.integer({ min: 1, max: 60 }),
  // All in one bucket, whatever the size of the table.
  fc.integer({ min: 1, max: 8 }).map((i) => i * 4096 + 1),
  fc.constant(2 ** 31 - 1),
)

test('streams are found, listed and forgotten as in a Map', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(identifiers, fc.boolean()), { maxLength: 300 }), (steps) => {
      const streams = new OpenStreams()
      const model = new Map<number, Http2Stream>()
      for (const [id, opens] of steps) {
        const known = model.get(id)
        assert.equal(streams.get(id), known)
        if (opens && known === undefined) {
          const stream = streamOf(id)
          streams.add(stream)
          model.set(id, stream)
        } else if (!opens) {
          assert.equal(streams.remove(known ?? streamOf(id)), known !== undefined)
          // It must not keep alive what came before or after it.
          assert.equal(known?.nextOpen, undefined)
          model.delete(id)
        }
        assert.equal(streams.size, model.size)
      }
      const ids = [...model.keys()].toSorted((a, b) => a - b)
      assert.deepEqual(
        streams.list().map((stream) => stream.id),
        ids,
      )
    }),
  )
})

test('another stream with the same identifier is not the one that is here', () => {
  const streams = new OpenStreams()
  streams.add(streamOf(1))
  assert.equal(streams.remove(streamOf(1)), false)
  assert.equal(streams.size, 1)
})

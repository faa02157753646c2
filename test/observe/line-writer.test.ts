import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { LineWriter } from '#src/observe/line-writer.ts'
import { LogRing } from '#src/shared/log-ring.ts'

/** A stream whose reader takes bytes only when the test says so. */
class Reader extends Writable {
  text = ''
  #done: (() => void) | undefined

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('latin1')
    this.#done = done
  }

  get stalled(): boolean {
    return this.#done !== undefined
  }

  /** Takes what is being written; false: nothing is. */
  async take(): Promise<boolean> {
    const done = this.#done
    this.#done = undefined
    done?.()
    await new Promise((resolve) => setImmediate(resolve))
    return done !== undefined
  }

  async takeAll(): Promise<void> {
    while (await this.take());
  }
}

test('lines of several rings and of the queue never interleave', async () => {
  const reader = new Reader()
  const writer = new LineWriter(reader)
  const rings = [LogRing.create(64), LogRing.create(64), LogRing.create(64)]
  for (const ring of rings) writer.addRing(ring)
  const expected: string[] = []
  for (let n = 0; n < 200; n++) {
    const i = n % rings.length
    const line = `${'abc'[i]}${n} ${'.'.repeat(n % 29)}`
    while (!(rings[i] as LogRing).write(line)) {
      writer.pump()
      await reader.take()
    }
    expected.push(line)
    if (n % 10 === 0) {
      writer.write(`log ${n}`)
      expected.push(`log ${n}`)
    }
    writer.pump()
  }
  await reader.takeAll()
  const lines = reader.text.trimEnd().split('\n')
  assert.deepEqual(lines.toSorted(), expected.toSorted())
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    const own = lines.filter((line) => line.startsWith(name))
    assert.deepEqual(
      own,
      expected.filter((line) => line.startsWith(name)),
      `order of ring ${i}`,
    )
  }
})

test('while the reader stalls lines are dropped, and later ones come through', async () => {
  const reader = new Reader()
  const writer = new LineWriter(reader, 100)
  const ring = LogRing.create(128)
  writer.addRing(ring)
  const taken: string[] = []
  let dropped = 0
  for (let n = 0; n < 100; n++) {
    const line = `line ${n}`
    if (ring.write(line)) taken.push(line)
    else dropped++
    writer.write(`log ${n}`)
    writer.pump()
  }
  assert.ok(reader.stalled)
  assert.ok(dropped > 0)
  assert.ok(writer.dropped > 0)
  await reader.takeAll()
  assert.ok(ring.write('later'))
  writer.pump()
  await reader.takeAll()
  const lines = reader.text.trimEnd().split('\n')
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('log')),
    [...taken, 'later'],
  )
  assert.equal(lines.length - taken.length - 1 + writer.dropped, 100)
})

test('a reader that went away is no fault', async () => {
  const gone = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('gone'), { code: 'EPIPE' }))
    },
  })
  const writer = new LineWriter(gone)
  writer.write('one')
  await new Promise((resolve) => setImmediate(resolve))
  writer.write('two')
  await writer.flush(10_000)
  assert.equal(writer.dropped, 1)
})

test('flush waits for what is written, up to its timeout', async () => {
  const reader = new Reader()
  const writer = new LineWriter(reader)
  writer.write('one')
  const flush = writer.flush(10_000)
  const soon = new Promise((resolve) => setImmediate(resolve, 'soon'))
  assert.equal(await Promise.race([flush, soon]), 'soon')
  await reader.takeAll()
  await flush
  writer.write('two')
  await writer.flush(1)
  assert.equal(reader.text, 'one\ntwo\n')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Burst } from '#src/sources/files/burst.ts'
import { SecondLooks } from '#src/sources/files/second-looks.ts'
import { TouchedFiles } from '#src/sources/files/touched-files.ts'
import { ManualTime } from './manual-time.ts'

test('events that follow each other closely are one burst', () => {
  const time = new ManualTime()
  const over: number[] = []
  const burst = new Burst({
    schedule: time.schedule,
    quietMs: 25,
    lengthMsMax: 100,
    onOver: () => over.push(time.now()),
  })
  burst.event()
  time.advance(20)
  burst.event()
  time.advance(200)
  assert.deepEqual(over, [45])
  burst.event()
  time.advance(25)
  assert.deepEqual(over, [45, 245])
  burst.event()
  burst.cancel()
  time.advance(200)
  assert.equal(over.length, 2)
})

test('a stream of events without end is cut off', () => {
  const time = new ManualTime()
  const over: number[] = []
  const burst = new Burst({
    schedule: time.schedule,
    quietMs: 25,
    lengthMsMax: 100,
    onOver: () => over.push(time.now()),
  })
  for (let i = 0; i < 35; i++) {
    burst.event()
    time.advance(10)
  }
  assert.deepEqual(over, [100, 200, 300])
})

function touchedFiles(time: ManualTime): TouchedFiles {
  return new TouchedFiles({ now: time.now, quietMs: 25, writingMsMax: 1000 })
}

test('files that are replaced are settled at once, files that are written to when nobody writes', () => {
  const time = new ManualTime()
  const touched = touchedFiles(time)
  touched.add({ folder: '', name: 'new.yaml', written: false })
  touched.add({ folder: 'sub', name: 'log.yaml', written: true })
  assert.deepEqual([...touched.takeSettled()], ['new.yaml'])
  assert.equal(touched.isBeingWritten('sub/log.yaml'), true)
  assert.equal(touched.any, true)
  time.advance(20)
  touched.add({ folder: 'sub', name: 'log.yaml', written: true })
  time.advance(20)
  assert.deepEqual([...touched.takeSettled()], [])
  time.advance(5)
  assert.deepEqual([...touched.takeSettled()], ['sub/log.yaml'])
  assert.equal(touched.any, false)
})

test('a file that is written to all the time is settled after a while', () => {
  const time = new ManualTime()
  const touched = touchedFiles(time)
  for (let i = 0; i < 100; i++) {
    touched.add({ folder: '', name: 'a.yaml', written: true })
    assert.equal(touched.takeSettled().size, 0)
    time.advance(10)
  }
  assert.deepEqual([...touched.takeSettled()], ['a.yaml'])
})

test('only what may concern manifests counts', () => {
  const touched = touchedFiles(new ManualTime())
  const of = (name: string | undefined, written: boolean): boolean =>
    touched.add({ folder: '', name, written })
  assert.equal(of('.a.yaml.swp', false), false)
  assert.equal(of('.hidden.yaml', true), false)
  assert.equal(of('a.txt', true), false)
  assert.equal(touched.any, false)
  assert.equal(of('folder', false), true)
  assert.equal(touched.takeEverything(), false)
  assert.equal(of('..data', false), true)
  assert.equal(touched.takeEverything(), true)
  assert.equal(touched.takeEverything(), false)
  assert.equal(of(undefined, true), true)
  assert.equal(touched.takeEverything(), true)
})

test('a flood of names becomes a look at everything', () => {
  const touched = touchedFiles(new ManualTime())
  for (let i = 0; i < 10_000; i++) touched.add({ folder: '', name: `${i}.yaml`, written: false })
  assert.equal(touched.everything, true)
  assert.ok(touched.takeSettled().size < 5000)
})

test('an odd version counts when it is still there at the second look', () => {
  const time = new ManualTime()
  const due: (readonly string[])[] = []
  const looks = new SecondLooks({
    schedule: time.schedule,
    now: time.now,
    delayMs: 80,
    patienceMs: 1000,
    onDue: (paths) => due.push(paths),
  })
  assert.equal(looks.defers('a', '1'), true)
  assert.equal(looks.defers('b', '1'), true)
  time.advance(80)
  assert.deepEqual(due, [['a', 'b']])
  assert.equal(looks.defers('a', '1'), false)
  looks.forget('a')
  assert.equal(looks.defers('a', '1'), true)
  for (let version = 2; time.now() < 1000; version++) {
    assert.equal(looks.defers('b', `${version}`), true)
    time.advance(80)
  }
  assert.equal(looks.defers('b', 'yet another'), false)
  looks.cancel()
  const before = due.length
  time.advance(1000)
  assert.equal(due.length, before)
})

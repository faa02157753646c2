import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineTime } from '#src/proxy/line-time.ts'
import {
  inQuotes,
  isoTime,
  isPlain,
  milliseconds,
  oncePerSecond,
  seconds,
} from '#src/proxy/log-text.ts'

test('times have three decimals, as rounding has them', () => {
  for (const ms of [
    0, 0.0004, 0.0006, 0.5, 1, 12.3456, 999.9994, 999.9996, 1000, 61_234.5678, 1e9,
  ]) {
    assert.equal(milliseconds(ms), (Math.round(ms * 1000) / 1000).toFixed(3))
    assert.equal(seconds(ms), (Math.round(ms) / 1000).toFixed(3))
  }
  assert.equal(seconds(1_796_000_000_123.4), '1796000000.123')
})

test('a clock that went back is no negative time', () => {
  assert.equal(milliseconds(-1), '0.000')
  assert.equal(seconds(-1), '0.000')
})

test('a text of a second is made once for it', () => {
  const made: string[] = []
  const text = oncePerSecond((date) => {
    made.push(date.toISOString())
    return `${made.length}`
  })
  assert.deepEqual([1000, 1999, 2000, 1500].map(text), ['1', '1', '2', '3'])
  assert.equal(isoTime(1000), '1970-01-01T00:00:01.000Z')
  assert.equal(isoTime(1001), '1970-01-01T00:00:01.001Z')
})

test('between the quotes of JSON stands ASCII that reads the same', () => {
  const texts = ['', 'plain', 'a"b\\c', '\0\t\r\n\x7f', 'caf\u00e9 \u00ff', ' !#[]~'.repeat(9)]
  const units = Array.from({ length: 256 }, (_, unit) => String.fromCharCode(unit))
  for (const text of [...texts, ...units, ...units.map((one) => `${'long'.repeat(9)}${one}`)]) {
    const shown = inQuotes(text)
    assert.match(shown, /^[ -~]*$/)
    assert.equal(JSON.parse(`"${shown}"`), text)
    assert.equal(isPlain(text), shown === text)
  }
})

test('the time of a line follows the monotonic clock, and for a second at most', () => {
  let wallMs = 1_700_000_000_900
  let readings = 0
  const services = {
    now: () => 0,
    wallClock() {
      readings++
      return wallMs
    },
  }
  assert.equal(lineTime(services, 5000), wallMs)
  assert.equal(lineTime(services, 5100.4), wallMs + 100)
  assert.equal(lineTime(services, 5999), wallMs + 999)
  assert.equal(readings, 1)
  // It was set back by an hour.
  wallMs -= 3_600_000
  assert.equal(lineTime(services, 6000), wallMs)
  // Another worker's clock in this thread, and a moment that is past.
  assert.equal(lineTime({ ...services, wallClock: () => 7 }, 6001), 7)
  assert.equal(lineTime(services, 4000), wallMs)
})

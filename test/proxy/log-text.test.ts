import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inQuotes, isoTime, milliseconds, oncePerSecond, seconds } from '#src/proxy/log-text.ts'

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
  for (const text of ['', 'plain', 'a"b\\c', '\0\t\r\n\x7f', 'caf\u00e9 \u00ff']) {
    const shown = inQuotes(text)
    assert.match(shown, /^[ -~]*$/)
    assert.equal(JSON.parse(`"${shown}"`), text)
  }
})

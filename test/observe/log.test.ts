import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, errorText } from '#src/observe/log.ts'
import type { LogFormat, LogLevel } from '#src/observe/log.ts'

function logged(format: LogFormat, level: LogLevel, linesPerSecond = Infinity) {
  const lines: string[] = []
  let nowMs = 0
  const log = createLogger({
    format,
    level,
    linesPerSecond,
    now: () => nowMs,
    write: (line) => lines.push(line),
    fields: { worker: 3 },
  })
  return {
    log,
    lines,
    setTime: (ms: number) => {
      nowMs = ms
    },
  }
}

test('a JSON line holds time, level, message and fields', () => {
  const { log, lines } = logged('json', 'info')
  log.warn('odd "thing"\n', { file: 'a\nb', count: 2, absent: undefined })
  assert.deepEqual(JSON.parse(lines[0] as string), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'warn',
    message: 'odd "thing"\n',
    worker: 3,
    file: 'a\nb',
    count: 2,
  })
})

test('whatever is logged stays on one line', () => {
  const evil = 'x\r\ny\u0085\u001b[31m'
  for (const format of ['json', 'text'] as const) {
    const { log, lines } = logged(format, 'debug')
    log.debug(evil, { evil })
    assert.equal(lines.length, 1)
    assert.doesNotMatch(lines[0] as string, /(?! )\s/)
    assert.ok(!(lines[0] as string).includes('\u001b'))
  }
  assert.equal(errorText(new Error('a\n  b')), 'a b')
})

test('text lines are for people', () => {
  const { log, lines } = logged('text', 'info')
  log.info('ready', { address: '[::1]:80', note: 'two words', ok: true })
  assert.deepEqual(lines, [
    '1970-01-01T00:00:00.000Z INFO  ready worker=3 address=[::1]:80 note="two words" ok=true',
  ])
  log.info('a\u001b[2J', { note: '\u001b[2J\u009b\n' })
  assert.doesNotMatch(lines[1] ?? '', /\p{Cc}/u)
})

test('lower levels are left out', () => {
  const { log, lines } = logged('text', 'warn')
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  assert.equal(lines.length, 2)
})

test('a flood is cut, counted and reported', () => {
  const { log, lines, setTime } = logged('json', 'info', 3)
  for (let i = 0; i < 10; i++) log.error('fault')
  assert.equal(lines.length, 3)
  setTime(1000)
  log.error('fault')
  assert.equal(lines.length, 5)
  const { level, message, count } = JSON.parse(lines[3] as string) as Record<string, unknown>
  assert.deepEqual(
    { level, message, count },
    { level: 'warn', message: 'log lines left out', count: 7 },
  )
})

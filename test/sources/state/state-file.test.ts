import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { saysTheSame } from '#src/snapshot/equal.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { readState } from '#src/sources/state/read-state.ts'
import { StateRefused, stateFileName, stateVersion } from '#src/sources/state/state-format.ts'
import { writeState } from '#src/sources/state/write-state.ts'
import { everyKind, service, stateFolder } from './objects.ts'

const key = 'a key of more than sixteen characters'
const source = 'kubernetes https://api.example'
const settings = {
  source,
  unreadable: ['IngressClass'] as const,
  writtenBy: '1.2.3',
  nowMs: 1_700_000_000_000,
  key,
}

async function write(folder: string, objects = everyKind, changes = {}): Promise<string> {
  await writeState({ folder, objects, ...settings, ...changes })
  return join(folder, stateFileName)
}

function linesOf(file: string): string[] {
  return gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
}

/** Puts lines into a file with a checksum that is right. */
function rewrite(file: string, lines: readonly string[]): void {
  const body = `${lines.slice(0, -1).join('\n')}\n`
  const trailer = JSON.parse(lines.at(-1) ?? '') as object
  const sha256 = createHash('sha256').update(body).digest('hex')
  writeFileSync(file, gzipSync(`${body}${JSON.stringify({ ...trailer, sha256 })}\n`))
}

async function refusal(folder: string, changes = {}): Promise<string> {
  try {
    await readState({ folder, source, key, ...changes })
  } catch (error) {
    assert.ok(error instanceof StateRefused, String(error))
    assert.doesNotMatch(error.message, /\n/)
    return error.message
  }
  return ''
}

test('every kind of object comes back as it was', async (t) => {
  const folder = stateFolder(t)
  await write(folder)
  const kept = await readState({ folder, source, key })
  assert.ok(kept !== undefined)
  assert.equal(kept.savedMs, settings.nowMs)
  assert.equal(kept.secretsLeftOut, 0)
  assert.deepEqual(kept.unreadable, ['IngressClass'])
  assert.equal(kept.objects.length, everyKind.length)
  for (const [index, object] of everyKind.entries()) {
    assert.ok(saysTheSame(kept.objects[index], object), JSON.stringify(kept.objects[index]))
    assert.ok(saysTheSame(object, kept.objects[index]))
  }
})

test('the file is for this user alone, and nothing of a Secret stands in it', async (t) => {
  const folder = stateFolder(t)
  const file = await write(folder)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder), [stateFileName])
  const text = linesOf(file).join('\n')
  assert.match(text, /"name":"shop-tls"/)
  for (const secret of ['top secret', 'dG9wIHNlY3JldA', 'tls.key', 'kubernetes.io/tls', key]) {
    assert.ok(!text.includes(secret), `the file says ${secret}`)
  }
  const again = linesOf(await write(folder)).join('\n')
  assert.notEqual(again, text, 'two writes use one nonce')
})

test('without a key, or with another one, Secrets are left out and counted', async (t) => {
  const folder = stateFolder(t)
  await write(folder)
  for (const other of ['', 'another key of many characters']) {
    const kept = await readState({ folder, source, key: other })
    assert.equal(kept?.secretsLeftOut, 1)
    assert.equal(kept.objects.filter(({ kind }) => kind === 'Secret').length, 0)
    assert.equal(kept.objects.length, everyKind.length - 1)
  }
  const file = await write(folder, everyKind, { key: '' })
  assert.ok(!linesOf(file).join('').includes('shop-tls"}'))
  const kept = await readState({ folder, source, key })
  assert.equal(kept?.secretsLeftOut, 1)
})

test('no file is no state', async (t) => {
  assert.equal(await readState({ folder: stateFolder(t), source, key }), undefined)
})

test('a file that is damaged, foreign or of another format is refused in one line', async (t) => {
  const folder = stateFolder(t)
  const file = await write(folder)
  const good = readFileSync(file)
  const lines = linesOf(file)
  const header = JSON.parse(lines[0] ?? '') as object
  const sealed = lines.findIndex((line) => line.startsWith('{"sealed"'))
  const moved = (lines[sealed] ?? '').replace('"shop-tls"', '"other"')
  const cases: [string, () => void, RegExp][] = [
    ['empty', () => writeFileSync(file, ''), /damaged/],
    ['cut off', () => writeFileSync(file, good.subarray(0, -20)), /damaged/],
    ['no gzip', () => writeFileSync(file, 'hello'), /damaged/],
    ['other gzip', () => writeFileSync(file, gzipSync('hello\n')), /no state of Headgate/],
    ['other JSON', () => writeFileSync(file, gzipSync('{}\n')), /no state of Headgate/],
    ['null', () => writeFileSync(file, gzipSync('null\n')), /no state of Headgate/],
    [
      'no end',
      () => writeFileSync(file, gzipSync(`${lines.slice(0, -1).join('\n')}\n`)),
      /not whole/,
    ],
    ['a byte', () => writeFileSync(file, flipped(good)), /./],
    [
      'a line is missing',
      () => rewrite(file, [...lines.slice(0, 2), ...lines.slice(3)]),
      /not whole/,
    ],
    [
      'more behind the end',
      () => writeFileSync(file, gzipSync(`${lines.join('\n')}\n{}\n`)),
      /damaged/,
    ],
    [
      'newer',
      () =>
        rewrite(file, [
          JSON.stringify({ ...header, version: stateVersion + 1 }),
          ...lines.slice(1),
        ]),
      /format 2, written by 1\.2\.3; this version reads 1/,
    ],
    [
      'no object',
      () => rewrite(file, [lines[0] ?? '', '{"kind":"Pod"}', ...lines.slice(2)]),
      /no object/,
    ],
    [
      'a Secret moved',
      () => rewrite(file, lines.with(sealed, moved)),
      /a Secret in it was changed/,
    ],
  ]
  for (const [name, spoil, expected] of cases) {
    spoil()
    assert.match(await refusal(folder), expected, name)
  }
  writeFileSync(file, good)
  const other = await refusal(folder, { source: 'files /manifests' })
  assert.equal(other, `it is that of ${source}, not of files /manifests`)
  assert.equal(await refusal(folder), '')
})

test('a write that fails leaves the state as it was, and nothing beside it', async (t) => {
  const folder = stateFolder(t)
  await write(folder, [service('first')])
  await assert.rejects(writeState({ folder, objects: failing(), ...settings }), /out of objects/)
  assert.deepEqual(readdirSync(folder), [stateFileName])
  const kept = await readState({ folder, source, key })
  assert.equal(kept?.objects[0]?.metadata.name, 'first')
  const absent = join(folder, 'absent')
  await assert.rejects(writeState({ folder: absent, objects: [], ...settings }), /ENOENT/)
  mkdirSync(join(folder, 'taken', stateFileName), { recursive: true })
  await assert.rejects(write(join(folder, 'taken')), /EISDIR|ENOTEMPTY/)
})

function* failing(): Generator<AnyObject> {
  yield service('second')
  throw new Error('out of objects')
}

/** What a stored object looks like. When this changes, `stateVersion` must rise with it. */
test('the shape of what is stored belongs to the version of the format', () => {
  const shapes = [...new Set(everyKind.map((object) => JSON.stringify(shapeOf(object))))].toSorted()
  const sha256 = createHash('sha256').update(shapes.join('\n')).digest('hex').slice(0, 12)
  assert.deepEqual({ version: stateVersion, sha256 }, { version: 1, sha256: 'c811deb66d56' })
})

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => shapeOf(item))
  if (typeof value !== 'object' || value === null) return typeof value
  const members = Object.entries(value).map(([name, member]) => [name, shapeOf(member)] as const)
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const middle = copy.length >> 1
  copy[middle] = (copy[middle] ?? 0) ^ 0x55
  return copy
}

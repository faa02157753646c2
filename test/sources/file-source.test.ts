import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FolderStage, configMap } from './folder-stage.ts'

const options = { timeout: 30_000 }

test('the first load reads everything below the folder that is a manifest', options, async () => {
  using stage = new FolderStage()
  stage.write('a.yaml', configMap('a', '1'), configMap('b', '1'))
  stage.write('sub/deeper/c.yml', configMap('c', '1'))
  stage.write('d.json', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d"},"data":{}}')
  stage.write('folder.yaml/e.yaml', configMap('e', '1'))
  for (const other of ['.hidden.yaml', 'f.txt', 'f.yaml.bak', '.git/g.yaml']) {
    stage.write(other, configMap('unread', '1'))
  }
  execFileSync('mkfifo', [stage.path('pipe.yaml')])
  assert.equal(stage.source.status.synced, false)
  await stage.source.start()
  assert.equal(stage.changes.length, 1)
  assert.deepEqual(Object.fromEntries(stage.state), { a: '1', b: '1', c: '1', d: '', e: '1' })
  assert.deepEqual(stage.source.status, {
    kind: 'files',
    description: stage.folder,
    synced: true,
    objects: 5,
  })
  assert.deepEqual(stage.source.diagnostics, [])
})

test('a folder that is not there, or is none, is an error that names it', options, async () => {
  using missing = new FolderStage({ folder: '/nonexistent/manifests' })
  await assert.rejects(missing.source.start(), {
    message: 'folder /nonexistent/manifests is not there',
  })
  using stage = new FolderStage()
  stage.write('a.yaml', configMap('a', '1'))
  using file = new FolderStage({ folder: stage.path('a.yaml') })
  await assert.rejects(file.source.start(), { message: /a\.yaml is not a folder$/ })
})

test('an empty folder is fine, and gets its first file', options, async () => {
  using stage = new FolderStage()
  await stage.source.start()
  assert.equal(stage.changes.length, 1)
  stage.write('a.yaml', configMap('a', '1'))
  await stage.holds({ a: '1' })
})

test('files that come, change and go are followed', options, async () => {
  using stage = new FolderStage()
  stage.write('a.yaml', configMap('a', '1'))
  await stage.source.start()
  stage.write('b.yaml', configMap('b', '1'))
  await stage.holds({ a: '1', b: '1' })
  stage.write('a.yaml', configMap('a', '2'))
  await stage.holds({ a: '2', b: '1' })
  stage.overwrite('a.yaml', configMap('a', '3'))
  await stage.holds({ a: '3', b: '1' })
  const last = stage.changes.at(-1)
  assert.deepEqual(
    last?.put.map(({ metadata }) => metadata.name),
    ['a'],
  )
  stage.overwrite('a.yaml', configMap('c', '1'))
  await stage.holds({ b: '1', c: '1' })
  unlinkSync(stage.path('a.yaml'))
  await stage.holds({ b: '1' })
})

test('a file that is renamed takes its objects along', options, async () => {
  using stage = new FolderStage()
  stage.write('a.yaml', configMap('a', '1'))
  await stage.source.start()
  renameSync(stage.path('a.yaml'), stage.path('z.yaml'))
  await stage.until(() => stage.changes.at(-1)?.put[0]?.file === 'z.yaml')
  renameSync(stage.path('z.yaml'), stage.path('b.yaml'))
  await stage.until(() => stage.changes.at(-1)?.put[0]?.file === 'b.yaml')
  assert.deepEqual(
    stage.changes.flatMap(({ deleted }) => deleted),
    [],
  )
})

test('a burst of writes comes to its last state in few steps', options, async () => {
  using stage = new FolderStage()
  await stage.source.start()
  for (let i = 1; i <= 100; i++) stage.write('a.yaml', configMap('a', `${i}`))
  for (let i = 1; i <= 100; i++) stage.write(`b${i}.yaml`, configMap(`b${i}`, '1'))
  await stage.until(() => stage.state.get('a') === '100' && stage.state.size === 101)
  assert.ok(stage.changes.length < 20, `${stage.changes.length} steps`)
})

test('a broken file keeps its last good version until it is mended', options, async () => {
  using stage = new FolderStage()
  stage.write('a.yaml', configMap('a', '1'))
  stage.write('b.yaml', configMap('b', '1'))
  await stage.source.start()
  stage.overwrite('a.yaml', 'metadata: {name: x\n  spec: [\n')
  await stage.until(() => stage.source.diagnostics.length > 0)
  assert.deepEqual(stage.findings(), ['file-unreadable File a.yaml'])
  stage.write('b.yaml', configMap('b', '2'))
  await stage.holds({ a: '1', b: '2' })
  stage.write('new.yaml', '{{{ not yaml')
  await stage.until(() => stage.source.diagnostics.length === 2)
  stage.overwrite('a.yaml', configMap('a', '2'))
  await stage.holds({ a: '2', b: '2' })
  unlinkSync(stage.path('new.yaml'))
  await stage.until(() => stage.source.diagnostics.length === 0)
  assert.deepEqual(
    stage.changes.flatMap(({ deleted }) => deleted),
    [],
  )
})

test('a document that is invalid harms only itself', options, async () => {
  using stage = new FolderStage()
  stage.write('a.yaml', 'text\n', configMap('a', '1'), configMap('b', '1'))
  await stage.source.start()
  assert.deepEqual(Object.fromEntries(stage.state), { a: '1', b: '1' })
  assert.deepEqual(stage.findings(), ['object-invalid  a.yaml'])
  stage.write('a.yaml', configMap('a', '2'), configMap('b', '1').replace('"1"', '1'))
  await stage.holds({ a: '2', b: '1' })
  assert.deepEqual(stage.findings(), ['object-invalid ConfigMap a.yaml#2'])
})

test('folders that go, come back and are replaced are followed', options, async () => {
  using stage = new FolderStage()
  stage.write('sub/deep/a.yaml', configMap('a', '1'))
  await stage.source.start()
  rmSync(stage.path('sub'), { recursive: true })
  await stage.holds({})
  stage.write('sub/deep/a.yaml', configMap('a', '2'))
  await stage.holds({ a: '2' })
  stage.overwrite('sub/deep/a.yaml', configMap('a', '3'))
  await stage.holds({ a: '3' })
  // Replaced at once: the new folder has the old one's name.
  mkdirSync(join(stage.parent, 'other/deep'), { recursive: true })
  writeFileSync(join(stage.parent, 'other/deep/a.yaml'), configMap('a', '4'))
  renameSync(stage.path('sub'), join(stage.parent, 'old'))
  renameSync(join(stage.parent, 'other'), stage.path('sub'))
  await stage.holds({ a: '4' })
  stage.overwrite('sub/deep/a.yaml', configMap('a', '5'))
  await stage.holds({ a: '5' })
  writeFileSync(join(stage.parent, 'old/deep/a.yaml'), configMap('a', 'old'))
  stage.write('b.yaml', configMap('b', '1'))
  await stage.holds({ a: '5', b: '1' })
})

test('a mounted ConfigMap is swapped as a whole', options, async () => {
  using stage = new FolderStage()
  const version = (name: string, value: string): void => {
    mkdirSync(stage.path(name))
    for (const file of ['a', 'b']) {
      writeFileSync(join(stage.path(name), `${file}.yaml`), configMap(file, value))
    }
    symlinkSync(name, stage.path('..data_tmp'))
    renameSync(stage.path('..data_tmp'), stage.path('..data'))
  }
  version('..2026_01', '1')
  for (const file of ['a.yaml', 'b.yaml']) symlinkSync(join('..data', file), stage.path(file))
  await stage.source.start()
  assert.deepEqual(Object.fromEntries(stage.state), { a: '1', b: '1' })
  version('..2026_02', '2')
  rmSync(stage.path('..2026_01'), { recursive: true })
  await stage.holds({ a: '2', b: '2' })
  assert.equal(stage.changes.length, 2, 'both files change in one step')
})

test(
  'the folder itself may vanish: what it held stays in force, and it is followed again',
  options,
  async () => {
    using stage = new FolderStage()
    stage.write('a.yaml', configMap('a', '1'))
    await stage.source.start()
    renameSync(stage.folder, join(stage.parent, 'away'))
    await stage.until(() => stage.source.diagnostics.length > 0)
    assert.deepEqual(stage.findings(), ['file-unreadable Folder '])
    assert.equal(stage.source.diagnostics[0]?.message, 'is not there')
    assert.deepEqual(Object.fromEntries(stage.state), { a: '1' })
    mkdirSync(stage.folder)
    stage.write('b.yaml', configMap('b', '1'))
    await stage.holds({ b: '1' })
    await stage.until(() => stage.source.diagnostics.length === 0)
    stage.overwrite('b.yaml', configMap('b', '2'))
    await stage.holds({ b: '2' })
  },
)

test('a folder that is a link is followed to its new target', options, async () => {
  using stage = new FolderStage()
  for (const release of ['1', '2']) {
    mkdirSync(join(stage.parent, release))
    writeFileSync(join(stage.parent, release, 'a.yaml'), configMap('a', release))
  }
  const link = join(stage.parent, 'current')
  symlinkSync('1', link)
  using linked = new FolderStage({ folder: link, owner: stage.owner })
  await linked.source.start()
  assert.deepEqual(Object.fromEntries(stage.state), { a: '1' })
  symlinkSync('2', `${link}.new`)
  renameSync(`${link}.new`, link)
  await stage.holds({ a: '2' })
  writeFileSync(join(stage.parent, '2/a.yaml'), configMap('a', '3'))
  await stage.holds({ a: '3' })
})

test('links in circles, to nowhere and to the same folder do no harm', options, async () => {
  using stage = new FolderStage()
  stage.write('sub/a.yaml', configMap('a', '1'))
  symlinkSync('.', stage.path('self'))
  symlinkSync('..', stage.path('sub/up'))
  symlinkSync('sub', stage.path('twin'))
  symlinkSync('loop.yaml', stage.path('loop.yaml'))
  symlinkSync('nowhere', stage.path('lost.yaml'))
  await stage.source.start()
  assert.deepEqual(Object.fromEntries(stage.state), { a: '1' })
  assert.deepEqual(
    stage.source.diagnostics.map(({ file, message }) => `${file} ${message}`),
    ['loop.yaml is a link that leads in a circle', 'lost.yaml is not there'],
  )
  stage.write('nowhere', configMap('b', '1'))
  unlinkSync(stage.path('loop.yaml'))
  await stage.until(() => stage.source.diagnostics.length < 2)
})

test(
  'what is too large, too much or no text is refused, and the rest is read',
  options,
  async () => {
    using stage = new FolderStage({ filesMax: 3, fileBytesMax: 1000 })
    stage.write('a.yaml', configMap('a', '1'))
    stage.write('b.yaml', configMap('b', 'x'.repeat(2000)))
    stage.write('c.yaml', '')
    writeFileSync(stage.path('c.yaml'), Buffer.from([0x61, 0xff, 0xfe]))
    stage.write('d.yaml', configMap('d', '1'))
    await stage.source.start()
    assert.deepEqual(Object.fromEntries(stage.state), { a: '1' })
    assert.deepEqual(
      stage.source.diagnostics.map(({ file, message }) => `${file} ${message}`),
      [
        ' 1 files or folders are beyond the limits',
        'b.yaml is larger than 1000 bytes',
        'c.yaml is not UTF-8 text',
      ],
    )
    unlinkSync(stage.path('c.yaml'))
    await stage.holds({ a: '1', d: '1' })
  },
)

test('where nothing can be watched, changes are found by looking', options, async () => {
  using stage = new FolderStage({
    watchEntries: () => {
      throw new Error('ENOSPC')
    },
  })
  await stage.source.start()
  stage.write('sub/a.yaml', configMap('a', '1'))
  await stage.holds({ a: '1' })
})

test('after stop nothing is told', options, async () => {
  using stage = new FolderStage()
  stage.write('a.yaml', configMap('a', '1'))
  await stage.source.start()
  stage.write('a.yaml', configMap('a', '2'))
  await stage.source.stop()
  const told = stage.changes.length
  using other = new FolderStage({ folder: stage.folder })
  await other.source.start()
  stage.write('a.yaml', configMap('a', '3'))
  await other.holds({ a: '3' })
  assert.equal(stage.changes.length, told)
})

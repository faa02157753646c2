import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { createLogger } from '#src/observe/log.ts'
import { everyObject } from '#src/snapshot/every-object.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { Store } from '#src/snapshot/store.ts'
import type { Source, SourceChange, SourceOwner } from '#src/sources/source.ts'
import { KeptSource } from '#src/sources/state/kept-source.ts'
import { stateFileName } from '#src/sources/state/state-format.ts'
import { writeState } from '#src/sources/state/write-state.ts'
import { ManualTime } from '../manual-time.ts'
import { secret, service, stateFolder } from './objects.ts'

const key = 'a key of more than sixteen characters'

/** A source that starts, or fails to, when the test says so. */
class ScriptedSource implements Source {
  diagnostics: readonly Diagnostic[] = []
  readonly owner: SourceOwner
  stopped = false
  want?: NonNullable<Source['want']>
  failing?: Promise<void>
  readonly #started = Promise.withResolvers<void>()

  constructor(owner: SourceOwner) {
    this.owner = owner
  }

  get status() {
    return { kind: 'kubernetes', description: 'https://api', synced: false, objects: 0 } as const
  }

  async start(): Promise<void> {
    await this.#started.promise
  }

  async stop(): Promise<void> {
    this.stopped = true
    await Promise.resolve()
  }

  put(...put: AnyObject[]): void {
    this.owner.onChange({ put, deleted: [] })
  }

  comeUp(...put: AnyObject[]): void {
    this.put(...put)
    this.#started.resolve()
  }

  fail(message: string): void {
    this.#started.reject(new Error(message))
  }
}

function create(t: TestContext, folder: string) {
  const time = new ManualTime()
  const store = new Store()
  const changes: SourceChange[] = []
  const logged: string[] = []
  const sources: ScriptedSource[] = []
  const owner: SourceOwner = {
    onChange: (change) => {
      changes.push(change)
      for (const { kind, namespace, name } of change.deleted) store.delete(kind, namespace, name)
      for (const object of change.put) store.put(object)
    },
  }
  const kept = new KeptSource({
    folder,
    key,
    writtenBy: '1.2.3',
    owner,
    create: (inner) => {
      const made = new ScriptedSource(inner)
      sources.push(made)
      return made
    },
    objects: () => everyObject(store.freeze()),
    log: createLogger({
      format: 'text',
      level: 'info',
      now: () => 0,
      write: (l) => logged.push(l),
    }),
    schedule: time.schedule,
    now: () => 1_700_000_000_000 + time.now(),
  })
  t.after(async () => {
    await kept.stop()
  })
  const names = (): string[] => [...store.all('Service')].map(({ metadata }) => metadata.name)
  return { kept, time, changes, logged, sources, names, store }
}

async function keep(folder: string, ...objects: AnyObject[]): Promise<void> {
  const source = 'kubernetes https://api'
  await writeState({
    folder,
    objects,
    unreadable: ['IngressClass'],
    source,
    key,
    writtenBy: '1.2.2',
    nowMs: 1_600_000_000_000,
  })
}

/** Lets what is under way, reading a file included, come to its end. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

test('a source that is up soon is not forestalled', async (t) => {
  const folder = stateFolder(t)
  await keep(folder, service('old'))
  const { kept, sources, names, logged } = create(t, folder)
  const started = kept.start()
  sources[0]?.comeUp(service('new'))
  await started
  assert.deepEqual(names(), ['new'])
  assert.equal(kept.status.restored, undefined)
  assert.deepEqual(logged, [])
})

test('a source that does not answer is replaced by the last good state, and says so', async (t) => {
  const folder = stateFolder(t)
  await keep(folder, service('a'), service('b'))
  const { kept, time, names, logged } = create(t, folder)
  const started = kept.start()
  time.advance(250)
  await started
  assert.deepEqual(names(), ['a', 'b'])
  const savedAt = '2020-09-13T12:26:40.000Z'
  assert.deepEqual(kept.status.restored, { savedAt, secretsLeftOut: 0 })
  assert.equal(kept.status.objects, 2)
  assert.deepEqual([...kept.unreadable], ['IngressClass'])
  const [finding] = kept.diagnostics
  assert.equal(finding?.code, 'state-restored')
  assert.equal(finding.message, `what is served was saved at ${savedAt}`)
  assert.equal(logged.length, 1)
  assert.match(logged[0] ?? '', /last good state is served.*kubernetes https:\/\/api.*2020-09-13/)
})

test('where the first try fails, nothing is waited for', async (t) => {
  const folder = stateFolder(t)
  await keep(folder, service('a'))
  const { kept, sources, names } = create(t, folder)
  const [source] = sources
  assert.ok(source !== undefined)
  source.failing = Promise.resolve()
  await kept.start()
  assert.deepEqual(names(), ['a'])
  source.comeUp(service('b'))
  await until(() => kept.status.restored === undefined)
  assert.deepEqual(names(), ['b'])
})

test('when the source is back, what differs is one step, and what is gone goes', async (t) => {
  const folder = stateFolder(t)
  await keep(folder, service('same'), service('gone'), service('other', 80))
  const { kept, time, sources, changes, names, store } = create(t, folder)
  const started = kept.start()
  time.advance(250)
  await started
  const same = store.get('Service', 'shop', 'same')
  const [source] = sources
  source?.put(service('same'))
  source?.put(service('short-lived'))
  source?.owner.onChange({
    put: [],
    deleted: [{ kind: 'Service', namespace: 'shop', name: 'short-lived' }],
  })
  assert.equal(changes.length, 1, 'part of a view was delivered')
  source?.comeUp(service('other', 8080), service('new'))
  await until(() => changes.length === 2)
  assert.deepEqual(names().toSorted(), ['new', 'other', 'same'])
  assert.equal(store.get('Service', 'shop', 'same'), same, 'what says the same was replaced')
  assert.deepEqual(
    changes[1]?.deleted.map(({ name }) => name),
    ['gone'],
  )
  assert.equal(kept.status.restored, undefined)
  assert.deepEqual(kept.diagnostics, [])
})

test('Secrets that come by name stay until all that is wanted has come', async (t) => {
  const folder = stateFolder(t)
  await keep(folder, service('a'), secret('kept'), secret('gone'))
  const { kept, time, sources, store } = create(t, folder)
  const secrets = (): string[] =>
    [...store.all('Secret')].map(({ metadata }) => metadata.name).toSorted()
  const [source] = sources
  assert.ok(source !== undefined)
  const arrived = Promise.withResolvers<void>()
  const asked: number[] = []
  source.want = async ({ secrets: names }) => {
    asked.push(names.length)
    await arrived.promise
  }
  const started = kept.start()
  time.advance(250)
  await started
  const named = ['kept', 'gone'].map((name) => ({ namespace: 'shop', name }))
  await kept.want({ secrets: named, configMaps: [] })
  source.comeUp(service('a'))
  await until(() => kept.status.restored === undefined)
  assert.deepEqual(secrets(), ['gone', 'kept'])
  source.put(secret('kept'))
  arrived.resolve()
  await until(() => secrets().length === 1)
  assert.deepEqual(secrets(), ['kept'])
  assert.deepEqual(asked, [2, 2])
})

test('what may not be read when the source is back stays until it may', async (t) => {
  const folder = stateFolder(t)
  await keep(folder, service('a'), service('b'))
  const { kept, time, sources, names } = create(t, folder)
  const started = kept.start()
  time.advance(250)
  await started
  const [source] = sources
  assert.ok(source !== undefined)
  const place = { kind: 'Service', namespace: '', name: '', field: '', file: '' }
  source.diagnostics = [
    { ...place, code: 'access-denied', severity: 'error', message: 'RBAC does not allow it' },
  ]
  source.comeUp(service('c'))
  await until(() => kept.status.restored === undefined)
  time.advance(60_000)
  assert.deepEqual(names().toSorted(), ['a', 'b', 'c'])
  source.diagnostics = []
  source.put()
  source.put(service('a'))
  time.advance(4999)
  assert.deepEqual(names().toSorted(), ['a', 'b', 'c'])
  time.advance(1)
  assert.deepEqual(names().toSorted(), ['a', 'c'])
})

test('findings of a source that is not up yet are passed on', (t) => {
  const { sources, changes } = create(t, stateFolder(t))
  sources[0]?.put(service('early'))
  assert.equal(changes.length, 0)
  sources[0]?.put()
  assert.equal(changes.length, 1)
})

test('a source that gives up is made again until it starts', async (t) => {
  const folder = stateFolder(t)
  await keep(folder, service('a'))
  const { kept, time, sources, names, logged } = create(t, folder)
  const passes = (ms: number): boolean => {
    time.advance(ms)
    return true
  }
  const started = kept.start()
  sources[0]?.fail('no such folder')
  await started
  assert.match(logged[0] ?? '', /no such folder/)
  await until(() => sources[0]?.stopped === true)
  await until(() => passes(1000) && sources.length === 2)
  sources[1]?.fail('still none')
  await until(() => sources[1]?.stopped === true)
  await until(() => passes(1000) && sources.length === 3)
  assert.deepEqual(names(), ['a'])
  sources[2]?.comeUp(service('b'))
  await until(() => names()[0] === 'b')
})

test('without a state, or with one that is refused, the source is waited for', async (t) => {
  const folder = stateFolder(t)
  const none = create(t, folder)
  const first = none.kept.start()
  none.time.advance(10_000)
  none.sources[0]?.fail('no such folder')
  await assert.rejects(first, /no such folder/)
  assert.deepEqual(none.logged, [])

  writeFileSync(join(folder, stateFileName), 'rubbish')
  const refused = create(t, folder)
  const second = refused.kept.start()
  refused.time.advance(10_000)
  await until(() => refused.logged.length > 0)
  assert.match(refused.logged[0] ?? '', /the state file is ignored.*state\.ndjson\.gz.*damaged/)
  assert.deepEqual(refused.names(), [])
  refused.sources[0]?.comeUp(service('a'))
  await second
  assert.deepEqual(refused.names(), ['a'])
})

test('changes are saved a second after the first, then every ten seconds at most', async (t) => {
  const folder = stateFolder(t)
  const { kept, time, sources } = create(t, folder)
  const started = kept.start()
  sources[0]?.comeUp(service('a'))
  await started
  time.advance(999)
  assert.ok(!existsSync(join(folder, stateFileName)))
  time.advance(1)
  await until(() => kept.saver.saves === 1)
  for (let change = 0; change < 100; change++) {
    sources[0]?.put(service('a', 1000 + change))
    time.advance(50)
  }
  assert.equal(kept.saver.saves, 1)
  time.advance(10_000)
  await until(() => kept.saver.saves === 2)
  time.advance(60_000)
  assert.equal(kept.saver.saves, 2, 'it is written though nothing changed')

  const { kept: next, time: later, names, store } = create(t, folder)
  const restored = next.start()
  later.advance(250)
  await restored
  assert.deepEqual(names(), ['a'])
  assert.equal(store.get('Service', 'shop', 'a')?.ports[0]?.port, 1099)
})

test('a restored state is not saved again, and a folder that cannot be written is one line', async (t) => {
  const folder = stateFolder(t)
  await keep(folder, service('a'))
  const waiting = create(t, folder)
  const started = waiting.kept.start()
  waiting.time.advance(100_000)
  await started
  waiting.time.advance(100_000)
  assert.equal(waiting.kept.saver.saves, 0)

  const { kept, time, sources, logged } = create(t, join(folder, 'absent'))
  const other = kept.start()
  sources[0]?.comeUp(service('a'))
  await other
  time.advance(1000)
  await until(() => kept.saver.failures === 1)
  sources[0]?.put(service('b'))
  time.advance(10_000)
  await until(() => kept.saver.failures === 2)
  assert.equal(logged.length, 1)
  assert.match(logged[0] ?? '', /the state cannot be saved.*absent.*ENOENT/)
})

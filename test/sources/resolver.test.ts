import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLocalAddress } from '#src/sources/names/local-address.ts'
import { candidates, hostsAddresses, systemLookup } from '#src/sources/names/lookup.ts'
import type { DnsClient, NameAnswer } from '#src/sources/names/lookup.ts'
import { Resolver } from '#src/sources/names/resolver.ts'

/** A resolver whose name server and clock the test plays. */
class Stage {
  readonly answers = new Map<string, NameAnswer | Error>()
  readonly asked: string[] = []
  readonly due: { callback: () => void; delayMs: number; cancelled: boolean }[] = []
  changes = 0
  readonly resolver: Resolver

  constructor(options: { allowLocal?: boolean; namesMax?: number } = {}) {
    this.resolver = new Resolver({
      lookup: async (name) => {
        this.asked.push(name)
        const answer = this.answers.get(name)
        if (answer instanceof Error) throw answer
        return answer ?? { addresses: [], ttlSeconds: 0, problem: 'not found' }
      },
      allowLocal: options.allowLocal ?? false,
      namesMax: options.namesMax ?? 100,
      onChange: () => this.changes++,
      random: () => 0.5,
      schedule: (callback, delayMs) => {
        const entry = { callback, delayMs, cancelled: false }
        this.due.push(entry)
        return () => {
          entry.cancelled = true
        }
      },
    })
  }

  answer(name: string, addresses: readonly string[], ttlSeconds = 60): void {
    this.answers.set(name, { addresses, ttlSeconds, problem: 'not found' })
  }

  /** Runs what is scheduled next; gives its delay. */
  async next(): Promise<number> {
    const entry = this.due.shift()
    assert.ok(entry !== undefined, 'nothing is scheduled')
    entry.callback()
    await settle()
    return entry.delayMs
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

test('a name is resolved, sorted, and asked for again when its TTL is over', async () => {
  const stage = new Stage()
  stage.answer('a.example', ['192.0.2.2', '192.0.2.1', '192.0.2.2'], 60)
  stage.resolver.want(['a.example'])
  await settle()
  const first = stage.resolver.addresses('a.example')
  assert.deepEqual(first, ['192.0.2.1', '192.0.2.2'])
  assert.equal(stage.changes, 1)
  assert.equal(await stage.next(), 60_000)
  assert.equal(stage.resolver.addresses('a.example'), first, 'the same array while nothing changes')
  assert.equal(stage.changes, 1)
  stage.answer('a.example', ['192.0.2.9'])
  await stage.next()
  assert.deepEqual(stage.resolver.addresses('a.example'), ['192.0.2.9'])
  assert.equal(stage.changes, 2)
})

test('TTLs have a floor and a ceiling', async () => {
  for (const [ttl, ms] of [
    [0, 5000],
    [86_400, 300_000],
  ] as const) {
    const stage = new Stage()
    stage.answer('a.example', ['192.0.2.1'], ttl)
    stage.resolver.want(['a.example'])
    await settle()
    assert.equal(await stage.next(), ms)
  }
})

test('a failure keeps the last good answer, and is asked again with growing waits', async () => {
  const stage = new Stage()
  stage.answer('a.example', ['192.0.2.1'])
  stage.resolver.want(['a.example'])
  await settle()
  stage.answers.set('a.example', new Error('server failure'))
  await stage.next()
  const waits: number[] = []
  for (let i = 0; i < 7; i++) waits.push(await stage.next())
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  assert.deepEqual(stage.resolver.addresses('a.example'), ['192.0.2.1'])
  assert.equal(stage.changes, 1)
})

test('local addresses are refused unless allowed', async () => {
  const addresses = ['127.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', 'fe80::1']
  const strict = new Stage()
  strict.answer('a.example', [...addresses, '192.0.2.1'])
  strict.answer('b.example', addresses)
  strict.resolver.want(['a.example', 'b.example'])
  await settle()
  assert.deepEqual(strict.resolver.addresses('a.example'), ['192.0.2.1'])
  assert.equal(strict.resolver.addresses('b.example'), undefined)
  assert.match(strict.resolver.problem('b.example'), /local/)
  const open = new Stage({ allowLocal: true })
  open.answer('b.example', ['127.0.0.1'])
  open.resolver.want(['b.example'])
  await settle()
  assert.deepEqual(open.resolver.addresses('b.example'), ['127.0.0.1'])
})

test('names that nobody wants are forgotten, and their number is bounded', async () => {
  const stage = new Stage({ namesMax: 2 })
  stage.resolver.want(['a.example', 'b.example', 'c.example'])
  await settle()
  assert.equal(stage.resolver.refused, 1)
  assert.deepEqual(stage.asked, ['a.example', 'b.example'])
  stage.resolver.want(['c.example'])
  await settle()
  assert.equal(stage.resolver.refused, 0)
  assert.ok(stage.due[0]?.cancelled && stage.due[1]?.cancelled)
  stage.resolver.stop()
  assert.ok(stage.due.every(({ cancelled }) => cancelled))
})

test('an answer for a name that is no longer wanted changes nothing', async () => {
  const stage = new Stage()
  stage.answer('a.example', ['192.0.2.1'])
  stage.resolver.want(['a.example'])
  stage.resolver.want([])
  await settle()
  assert.equal(stage.changes, 0)
  assert.equal(stage.due.length, 0)
})

test('the hosts file comes first, then DNS with search domains', async () => {
  const asked: string[] = []
  const dns: DnsClient = {
    resolve4: async (name) => {
      asked.push(name)
      if (name !== 'db.prod.svc.example') throw Object.assign(new Error('x'), { code: 'ENOTFOUND' })
      return [{ address: '192.0.2.5', ttl: 17 }]
    },
    resolve6: async () => {
      throw Object.assign(new Error('x'), { code: 'ENODATA' })
    },
  }
  const files = new Map([
    ['/etc/hosts', '127.0.0.1 localhost\n192.0.2.77 Printer printer.lan # office\n'],
    ['/etc/resolv.conf', 'search prod.svc.example svc.example\noptions ndots:5\n'],
  ])
  const lookup = systemLookup(dns, { read: async (path) => files.get(path) ?? '' })
  assert.deepEqual((await lookup('printer')).addresses, ['192.0.2.77'])
  assert.deepEqual((await lookup('localhost')).addresses, ['127.0.0.1'])
  assert.deepEqual((await lookup('192.0.2.8')).addresses, ['192.0.2.8'])
  assert.deepEqual(await lookup('db'), {
    addresses: ['192.0.2.5'],
    ttlSeconds: 17,
    problem: 'ENODATA',
  })
  const missing = await lookup('nowhere')
  assert.deepEqual([missing.addresses.length, missing.problem], [0, 'ENODATA'])
  assert.deepEqual(asked, [
    'db.prod.svc.example',
    'nowhere.prod.svc.example',
    'nowhere.svc.example',
    'nowhere',
  ])
})

test('helpers read their files as the manual pages say', () => {
  assert.deepEqual(hostsAddresses('::1 a b\n# 192.0.2.1 a\n192.0.2.2 A\n', 'a'), [
    '::1',
    '192.0.2.2',
  ])
  assert.deepEqual(candidates('a.b', ''), ['a.b'])
  assert.deepEqual(candidates('a', 'search x.\n'), ['a.x', 'a'])
  assert.equal(isLocalAddress('10.0.0.1'), false)
  assert.equal(isLocalAddress('no address'), true)
})

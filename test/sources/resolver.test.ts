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
  assert.deepEqual((await lookup('a.localhost')).addresses, ['127.0.0.1', '::1'])
  assert.deepEqual(await lookup('db'), {
    addresses: ['192.0.2.5'],
    ttlSeconds: 17,
    problem: 'not found',
    failed: [],
  })
  assert.deepEqual(await lookup('nowhere'), {
    addresses: [],
    ttlSeconds: 0,
    problem: 'not found',
    failed: [],
  })
  assert.deepEqual(asked, [
    'db.prod.svc.example',
    'nowhere.prod.svc.example',
    'nowhere.svc.example',
    'nowhere',
  ])
})

test('a name server that fails ends the search through the domains', async () => {
  const asked: string[] = []
  const dns: DnsClient = {
    resolve4: async (name) => {
      asked.push(name)
      throw Object.assign(new Error('x'), { code: 'ESERVFAIL' })
    },
    resolve6: async () => {
      throw Object.assign(new Error('x'), { code: 'ENOTFOUND' })
    },
  }
  const lookup = systemLookup(dns, {
    read: async (path) => (path === '/etc/resolv.conf' ? 'search a.example b.example' : ''),
  })
  const { addresses, problem, failed } = await lookup('db')
  assert.deepEqual([addresses, problem, failed], [[], 'not found (ESERVFAIL)', [4]])
  assert.deepEqual(asked, ['db.a.example'])
})

test('of a family whose servers fail the last addresses stay', async () => {
  const stage = new Stage()
  stage.answer('a.example', ['192.0.2.1', '2001:db8::1'])
  stage.resolver.want(['a.example'])
  await settle()
  const addresses = ['192.0.2.2']
  stage.answers.set('a.example', { addresses, ttlSeconds: 60, problem: 'timeout', failed: [6] })
  assert.equal(await stage.next(), 60_000)
  assert.deepEqual(stage.resolver.addresses('a.example'), ['192.0.2.2', '2001:db8::1'])
  assert.equal(stage.resolver.problem('a.example'), 'timeout')
  stage.answer('a.example', ['192.0.2.2'])
  assert.equal(await stage.next(), 5000, 'what is incomplete is asked for again soon')
  assert.deepEqual(stage.resolver.addresses('a.example'), ['192.0.2.2'])
  assert.equal(stage.resolver.problem('a.example'), '')
})

test('a name that is unknown three times in a row is given up', async () => {
  const stage = new Stage()
  const failing = { addresses: [], ttlSeconds: 0, problem: 'ESERVFAIL', failed: [4, 6] as const }
  stage.answer('a.example', ['192.0.2.1'])
  stage.resolver.want(['a.example'])
  await settle()
  stage.answer('a.example', [])
  await stage.next()
  await stage.next()
  stage.answers.set('a.example', failing)
  await stage.next()
  stage.answer('a.example', [])
  await stage.next()
  await stage.next()
  assert.deepEqual(stage.resolver.addresses('a.example'), ['192.0.2.1'])
  assert.equal(stage.changes, 1)
  await stage.next()
  assert.equal(stage.resolver.addresses('a.example'), undefined)
  assert.equal(stage.changes, 2)
})

test('only so many names are asked for at a time', async () => {
  const waiting = new Map<string, (answer: NameAnswer) => void>()
  const resolver = new Resolver({
    lookup: async (name) => {
      const answer = Promise.withResolvers<NameAnswer>()
      waiting.set(name, answer.resolve)
      return await answer.promise
    },
    allowLocal: false,
    namesMax: 1000,
    onChange: () => undefined,
    random: () => 0.5,
    schedule: () => () => undefined,
  })
  const names = Array.from({ length: 100 }, (_, i) => `${i}.example`)
  resolver.want(names)
  assert.equal(waiting.size, 32)
  resolver.want(names.slice(0, 60))
  for (let at = 0; at < 60; at++) {
    waiting.get(`${at}.example`)?.({ addresses: ['192.0.2.1'], ttlSeconds: 60, problem: '' })
    await settle()
  }
  assert.equal(waiting.size, 60, 'names that nobody wants any more are not asked for')
  assert.ok(names.slice(0, 60).every((name) => resolver.addresses(name)?.length === 1))
})

test('the addresses of one name are bounded', async () => {
  const stage = new Stage()
  stage.answer(
    'a.example',
    Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`),
  )
  stage.resolver.want(['a.example'])
  await settle()
  assert.equal(stage.resolver.addresses('a.example')?.length, 256)
})

test('local addresses are known in all their forms', () => {
  const locals =
    '0.0.0.0 127.0.0.1 127.255.0.1 169.254.169.254 100.100.100.200 168.63.129.16 224.0.0.1 ' +
    '255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:a9fe:a9fe fe80::1 ff02::1 ' +
    'fd00:ec2::254 fd20:ce::254 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe localhost'
  for (const address of locals.split(' ')) assert.equal(isLocalAddress(address), true, address)
  const others = '10.0.0.1 192.168.1.1 1.1.1.1 100.64.0.1 2001:db8::1 fd00::1 64:ff9b::8.8.8.8'
  for (const address of others.split(' ')) assert.equal(isLocalAddress(address), false, address)
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

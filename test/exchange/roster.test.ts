import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Roster } from '#src/exchange/roster.ts'
import type { Listed } from '#src/exchange/roster.ts'

class Member implements Listed {
  place = -1
  readonly name: number
  readonly load: readonly number[]

  /** `size`: numbers that it holds, for its weight. */
  constructor(name: number, size = 0) {
    this.name = name
    this.load = Array.from({ length: size }, () => name)
  }
}

/** As many numbers. */
const kilobyte = 128

test('a roster has what a Set has after the same steps', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(12)), { maxLength: 100 })
  fc.assert(
    fc.property(steps, (all) => {
      const members = Array.from({ length: 13 }, (_, name) => new Member(name))
      const roster = new Roster<Member>()
      const set = new Set<Member>()
      for (const [adds, name] of all) {
        const member = members[name] as Member
        if (!adds) roster.delete(member)
        else roster.add(member)
        if (adds) set.add(member)
        else set.delete(member)
        assert.equal(roster.size, set.size)
        assert.deepEqual(names(roster.all()), names([...set]))
      }
      for (const member of members) assert.equal(member.place >= 0, set.has(member))
    }),
  )
})

test('members may come and go while all are visited', () => {
  const roster = new Roster<Member>()
  for (let name = 0; name < 5; name++) roster.add(new Member(name))
  const visited: number[] = []
  for (const member of roster.all()) {
    visited.push(member.name)
    roster.delete(member)
    if (member.name < 5) roster.add(new Member(member.name + 10))
  }
  assert.deepEqual(visited.toSorted(byValue), [0, 1, 2, 3, 4])
  assert.deepEqual(names(roster.all()), [10, 11, 12, 13, 14])
})

test('what has left is freed by collections of the young generation, however old the roster', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void
  const roster = new Roster<Member>()
  const listed: Member[] = []
  const passThrough = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const comes = new Member(i, kilobyte)
      roster.add(comes)
      if (listed.push(comes) > 64) roster.delete(listed.shift() as Member)
    }
  }
  passThrough(64)
  // Twice, so that the roster and what it consists of are old.
  collect()
  collect()
  const before = process.memoryUsage().heapUsed
  for (let round = 0; round < 100; round++) {
    passThrough(100)
    collect({ type: 'minor' })
  }
  const grownKb = (process.memoryUsage().heapUsed - before) / 1024
  assert.ok(grownKb < 2000, `10,000 members of 1 KB came and went, and ${grownKb} KB stayed`)
})

function names(members: readonly Member[]): number[] {
  return members.map(({ name }) => name).toSorted(byValue)
}

function byValue(a: number, b: number): number {
  return a - b
}

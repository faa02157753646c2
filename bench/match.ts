// What a table of 10,000 hosts costs a request more than one of 10: the bar is 300 ns.
// Usage: node bench/match.ts
import { canonicalPath } from '#algorithms/match/canonical-path.ts'
import { HostTable, hostOf } from '#algorithms/match/host-table.ts'
import { PathList } from '#algorithms/match/path-list.ts'
import type { PathPattern } from '#algorithms/match/path-list.ts'
import { seededRandom } from '#algorithms/random.ts'

const lookups = 1_000_000
const rounds = 9
const barNs = 300

/** Requests for hosts of a table, as bytes: strings are made for every request, as a codec does. */
interface Requests {
  readonly bytes: Buffer
  /** Start and end of each request's authority. */
  readonly spans: Int32Array
}

interface Site {
  readonly table: HostTable<PathList>
  readonly requests: Requests
  readonly target: string
}

function siteOf(hosts: readonly string[], paths: number, target: string, label: string): Site {
  const table = new HostTable<PathList>()
  for (const host of hosts) table.set(host, listOf(paths))
  const random = seededRandom(1)
  const asked = Array.from({ length: 65_536 }, () => {
    const host = hosts[Math.floor(random() * hosts.length)] as string
    return host.replace('*', label)
  })
  const spans = new Int32Array(asked.length + 1)
  for (const [i, host] of asked.entries()) spans[i + 1] = (spans[i] as number) + host.length
  return { table, requests: { bytes: Buffer.from(asked.join(''), 'latin1'), spans }, target }
}

function listOf(count: number): PathList {
  const patterns = Array.from({ length: count - 1 }, (_, i): PathPattern => ({
    type: i % 3 === 0 ? 'exact' : 'prefix',
    value: `/service-${i}`,
  }))
  return new PathList([...patterns, { type: 'prefix', value: '' }], (text) => new RegExp(text))
}

/** Nanoseconds of CPU of one lookup: authority and target in, rule out. */
function measure({ table, requests, target }: Site): number {
  const { bytes, spans } = requests
  const mask = spans.length - 2
  let found = 0
  const before = process.threadCpuUsage()
  for (let i = 0; i < lookups; i++) {
    const at = i & mask
    const authority = bytes.latin1Slice(spans[at], spans[at + 1])
    const path = canonicalPath(target)
    const list = table.match(hostOf(authority))
    if (path !== undefined && list !== undefined && list.next(path, 0) >= 0) found++
  }
  const { user, system } = process.threadCpuUsage(before)
  if (found !== lookups) throw new Error(`only ${found} of ${lookups} lookups found a rule`)
  return ((user + system) * 1000) / lookups
}

function names(count: number, wildcard: boolean): string[] {
  return Array.from({ length: count }, (_, i) => `${wildcard ? '*.' : ''}host-${i}.shop.example`)
}

const path = '/service-7/items/12345?sort=price&page=2'
const sites = {
  '10 hosts': siteOf(names(10, false), 1, path, ''),
  '10,000 hosts': siteOf(names(10_000, false), 1, path, ''),
  '10 wildcards': siteOf(names(10, true), 1, path, 'www'),
  '10,000 wildcards': siteOf(names(10_000, true), 1, path, 'www'),
  '10 hosts, 5 paths': siteOf(names(10, false), 5, path, ''),
  '10 hosts, 200 paths': siteOf(names(10, false), 200, path, ''),
  '10 hosts, encoded path': siteOf(names(10, false), 1, `/caf%C3%A9${path}`, ''),
}

const times = new Map<string, number[]>(Object.keys(sites).map((name) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const [name, site] of Object.entries(sites)) times.get(name)?.push(measure(site))
}
const medians = new Map<string, number>()
for (const [name, all] of times) {
  const sorted = all.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(rounds / 2)] as number
  medians.set(name, median)
  const [least, most] = [sorted[0] as number, sorted.at(-1) as number]
  const spread = `${least.toFixed(0)} to ${most.toFixed(0)}`
  process.stdout.write(`${name.padEnd(24)} ${median.toFixed(0).padStart(5)} ns  (${spread})\n`)
}
for (const kind of ['hosts', 'wildcards']) {
  const extra = (medians.get(`10,000 ${kind}`) ?? Infinity) - (medians.get(`10 ${kind}`) ?? 0)
  const verdict = extra <= barNs ? 'within' : 'ABOVE'
  process.stdout.write(`10,000 ${kind} cost ${extra.toFixed(0)} ns more: ${verdict} ${barNs} ns\n`)
}

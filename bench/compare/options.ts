import { parseArgs } from 'node:util'
import { readFileSync } from 'node:fs'
import { proxyKinds } from './site.ts'
import type { ProxyKind } from './site.ts'
import { workloads } from './workloads.ts'
import type { Workload } from './workloads.ts'

/** What the command line asks for. */
export interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly warmSeconds: number
  readonly workloads: readonly Workload[]
  readonly without: readonly ProxyKind[]
  /** Further builds of a peer, by path. */
  readonly paths: Readonly<Record<ProxyKind, readonly string[]>>
  /** CPUs of the proxies and of load and backend, as `taskset -c` reads them. */
  readonly proxyCores: string
  readonly loadCores: string
  readonly check: boolean
  /** Name of the result files in bench/results; '' for the time of the run. */
  readonly name: string
}

export const usage = `npm run bench -- [options]

  --rounds N          rounds of each workload and proxy, interleaved (5)
  --seconds S         length of a round (4)
  --warm S            warm-up of each proxy before the rounds of a workload (2)
  --only ID,ID        workloads: ${workloads.map(({ id }) => id).join(', ')}
  --without KIND      leave a proxy out: ${['nginx', 'haproxy', 'envoy'].join(', ')}; repeatable
  --nginx PATH, --haproxy PATH, --envoy PATH, --headgate PATH
                      another build of a proxy beside the installed one; repeatable
                      (for headgate: another node)
  --name NAME         name of the result files in bench/results
  --check             exit 1 when a bar is missed or cannot be judged
`

/** Reads the command line. Throws an Error with one clear line. */
export function readOptions(argv: readonly string[]): Options {
  const text = { type: 'string' } as const
  const many = { type: 'string', multiple: true, default: [] as string[] } as const
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { ...text, default: '5' },
      seconds: { ...text, default: '4' },
      warm: { ...text, default: '2' },
      only: { ...text, default: '' },
      without: many,
      nginx: many,
      haproxy: many,
      envoy: many,
      headgate: many,
      name: { ...text, default: '' },
      check: { type: 'boolean', default: false },
    },
  })
  const { nginx, haproxy, envoy, headgate, check, name } = values
  return {
    rounds: whole('rounds', values.rounds, 1),
    seconds: whole('seconds', values.seconds, 1),
    warmSeconds: whole('warm', values.warm, 0),
    workloads: chosenWorkloads(values.only),
    without: values.without.map(proxyKind),
    paths: { nginx, haproxy, envoy, headgate },
    check,
    name,
    ...cores(),
  }
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least) return value
  throw new Error(`--${name} must be a whole number from ${least}, got "${text}"`)
}

function chosenWorkloads(only: string): readonly Workload[] {
  if (only === '') return workloads
  return only.split(',').map((id) => {
    const workload = workloads.find((candidate) => candidate.id === id)
    if (workload !== undefined) return workload
    const known = workloads.map((candidate) => candidate.id).join(', ')
    throw new Error(`--only: no workload is called "${id}"; there are ${known}`)
  })
}

function proxyKind(text: string): ProxyKind {
  const kind = proxyKinds.find((candidate) => candidate === text)
  if (kind !== undefined) return kind
  throw new Error(`--without: no proxy is called "${text}"; there are ${proxyKinds.join(', ')}`)
}

/** The first CPU that we may use is the proxies'; the others are for load and backend. */
function cores(): { proxyCores: string; loadCores: string } {
  const status = readFileSync('/proc/self/status', 'latin1')
  const list = /^Cpus_allowed_list:\s+(\S+)/m.exec(status)?.[1] ?? ''
  const all = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  if (all.length < 2) throw new Error('the comparison needs two CPUs: one for the proxy alone')
  return { proxyCores: String(all[0]), loadCores: all.slice(1).join(',') }
}

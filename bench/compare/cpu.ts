import { readFileSync, readdirSync } from 'node:fs'

/** Clock ticks a second in /proc/PID/stat; fixed on Linux whatever the kernel's own HZ is. */
const ticksPerSecond = 100

/** CPU time of one process at one moment. */
interface Sample {
  /** Nanoseconds by thread, exact. */
  readonly threads: ReadonlyMap<string, number>
  /** Nanoseconds of the whole process, threads that ended included, in steps of 10 ms. */
  readonly wholeNs: number
}

/** CPU time of a process and all its descendants at one moment. */
export type CpuReading = ReadonlyMap<number, Sample>

/** Reads the CPU time, user and system, of every thread of a process and of its descendants. */
export function readCpu(pid: number): CpuReading {
  const reading = new Map<number, Sample>()
  for (const process of processTree(pid)) {
    const sample = sampleOf(process)
    if (sample !== undefined) reading.set(process, sample)
  }
  return reading
}

/** What the whole of a process may differ from its threads by rounding alone. */
const roundingNs = 2e7

/**
 * Nanoseconds of CPU between two readings. Exact per thread; a process in which threads ended in
 * between is taken from its own total, which is exact to 20 ms.
 */
export function cpuBetween(before: CpuReading, after: CpuReading): number {
  let total = 0
  for (const [pid, now] of after) {
    const then = before.get(pid)
    const threadsNs = sum(now.threads) - (then === undefined ? 0 : sum(then.threads))
    const wholeNs = now.wholeNs - (then?.wholeNs ?? 0)
    total += wholeNs - threadsNs > roundingNs ? wholeNs : threadsNs
  }
  return total
}

function sum(threads: ReadonlyMap<string, number>): number {
  let total = 0
  for (const ns of threads.values()) total += ns
  return total
}

function sampleOf(pid: number): Sample | undefined {
  try {
    const threads = new Map<string, number>()
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1')
      threads.set(thread, Number(text.split(' ')[0]))
    }
    const [user = 0, system = 0] = statNumbers(pid).slice(11, 13)
    return { threads, wholeNs: ((user + system) / ticksPerSecond) * 1e9 }
  } catch {
    return undefined
  }
}

/** Fields of /proc/PID/stat from the state (field 3) on; the name before may hold anything. */
function statNumbers(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

/** The process and all its descendants. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [pid]
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i] as number) ?? []))
  return tree
}

function parentOf(pid: number): number | undefined {
  try {
    return statNumbers(pid)[1]
  } catch {
    return undefined
  }
}

/** Kilobytes of memory that a process tree holds for itself, shared pages by their share. */
export function memoryKb(pid: number): number {
  let total = 0
  for (const process of processTree(pid)) {
    const text = readFileSync(`/proc/${process}/smaps_rollup`, 'latin1')
    total += Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0)
  }
  return total
}

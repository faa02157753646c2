import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export interface Cost {
  readonly cpuMs: number
  /** Memory that is still held afterwards, in bytes. */
  readonly retained: number
}

function held(): number {
  collect()
  const { heapUsed, arrayBuffers, external } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

/** What `run` costs this process. */
export function costOf(run: () => void): Cost {
  const before = held()
  const cpu = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(cpu)
  return { cpuMs: (user + system) / 1000, retained: held() - before }
}

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Instance } from './instance.ts'

export interface RestartOptions {
  readonly kubeconfig: string
  /** A host that is served. */
  readonly host: string
  /** Ends the API server. */
  readonly stop: () => Promise<void>
  readonly count: number
}

/** Longer than between two writes of the state while there is something to write. */
const restMs = 11_000

/**
 * Keeps the state of a running cluster, ends its API server, and starts again from what was kept, so many
 * times. Gives the milliseconds from each spawn until it is ready.
 */
export async function restartWithoutServer(options: RestartOptions): Promise<readonly number[]> {
  const { kubeconfig, host, stop, count } = options
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-state-'))
  const keyFile = join(folder, 'key')
  writeFileSync(keyFile, 'a key for a measurement', { mode: 0o600 })
  const flags = [`--state-dir=${folder}`, `--state-key-file=${keyFile}`]
  const restarts: number[] = []
  try {
    const first = await Instance.start(kubeconfig, flags)
    const expected = await first.ask(host)
    await atRest(join(folder, 'state.ndjson.gz'))
    await first.stop()
    await stop()
    for (let i = 0; i < count; i++) {
      const again = await Instance.start(kubeconfig, flags)
      restarts.push(again.startMs)
      const body = await again.ask(host)
      await again.stop()
      if (body !== expected) throw new Error('the kept state is not served')
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return restarts
}

/** Until the file is there and holds everything. */
async function atRest(file: string): Promise<void> {
  for (;;) {
    const writtenMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - writtenMs > restMs) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

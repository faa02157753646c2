import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

/** A running API server with its storage and its controllers. */
export interface ControlPlane {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string
  readonly port: number
  /** File with the rights of cluster-admin. */
  readonly kubeconfig: string
  readonly process: ChildProcess
  /** SIGTERM, and the wait for the end. Data stays in the folder. */
  readonly stop: () => Promise<void>
}

export interface ControlPlaneOptions {
  /** Folder of the data; used again, it has the same objects, certificates and tokens. */
  readonly folder: string
  /** 0 picks a free port. */
  readonly port?: number
  /** More flags, say `--apiserver-arg=--v=4`. */
  readonly flags?: readonly string[]
}

const stopLimitMs = 20_000

/** Starts a control plane that ends with the test, in a folder that goes away with it. */
export async function startControlPlane(
  t: TestContext,
  options: Partial<ControlPlaneOptions> = {},
): Promise<ControlPlane> {
  const controlPlane = await launchControlPlane({ folder: createDataFolder(t), ...options })
  t.after(controlPlane.stop)
  return controlPlane
}

/** A short-lived folder: etcd's sockets need a short path. */
export function createDataFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-cp-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  return folder
}

/** Starts a control plane and resolves when its API server is ready. */
export async function launchControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { folder, port = 0, flags = [] } = options
  const child = spawn(programPath(), ['--dir', folder, '--port', `${port}`, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000)
  })
  const ended = new Promise<void>((resolve) => child.on('close', resolve))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
    await ended
    clearTimeout(timer)
  }
  const ready = await Promise.race([readyLine(child), ended])
  if (ready === undefined) throw new Error(`the control plane did not start: ${errors}`)
  return { ...ready, port: Number(new URL(ready.url).port), process: child, stop }
}

async function readyLine(child: ChildProcess): Promise<{ url: string; kubeconfig: string }> {
  return await new Promise((resolve) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const [word, url, kubeconfig] = line.split(' ')
      if (word === 'ready' && url !== undefined && kubeconfig !== undefined) {
        resolve({ url, kubeconfig })
      }
    })
  })
}

function programPath(): string {
  const path = process.env['HEADGATE_TEST_CONTROL_PLANE']
  if (path === undefined) throw new Error('these tests are run by: npm run test:cluster')
  return path
}

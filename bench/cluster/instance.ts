import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { Client } from 'undici'

const main = join(import.meta.dirname, '../../src/main.ts')
const readyLimitMs = 120_000
export const httpPort = 18_080
const adminPort = 19_180

/** A process of Headgate, and a connection to it. */
export class Instance {
  readonly startMs: number
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #client = new Client(`http://127.0.0.1:${httpPort}`)

  private constructor(child: ChildProcess, startMs: number) {
    this.#child = child
    this.startMs = startMs
    this.#ended = new Promise((resolve) => child.on('close', resolve))
  }

  /** Starts it, with these flags besides, and waits until it is ready. */
  static async start(kubeconfig: string, flags: readonly string[] = []): Promise<Instance> {
    const startedAt = performance.now()
    const ports = [`--http-port=${httpPort}`, '--https-port=18443', `--admin-port=${adminPort}`]
    const args = [
      'serve',
      `--kubeconfig=${kubeconfig}`,
      '--workers=1',
      '--log-level=warn',
      ...ports,
      ...flags,
    ]
    const child = spawn(process.execPath, [main, ...args, '--bind-address=127.0.0.1'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    while (performance.now() - startedAt < readyLimitMs && child.exitCode === null) {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined)
      if (answer?.status === 200) return new Instance(child, performance.now() - startedAt)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    child.kill('SIGKILL')
    throw new Error('headgate did not become ready')
  }

  /** The body of an answer from the measured host. */
  async ask(host: string): Promise<string> {
    const { body } = await this.#client.request({ method: 'GET', path: '/', headers: { host } })
    return await body.text()
  }

  async metric(name: string): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`)
    const line = (await answer.text()).split('\n').find((text) => text.startsWith(`${name} `))
    return Number(line?.split(' ')[1])
  }

  /** Resident memory now and at its peak, in MB. */
  get memory(): { readonly nowMb: number; readonly peakMb: number } {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    const kb = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
    return { nowMb: kb('VmRSS') / 1024, peakMb: kb('VmHWM') / 1024 }
  }

  async stop(): Promise<void> {
    await this.#client.destroy()
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** An endpoint that answers with its address. */
export async function startEndpoint(address: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(address))
  await new Promise<void>((resolve) => server.listen(8080, address, resolve))
  return server
}

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { IncomingHttpHeaders, RequestListener, RequestOptions } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const main = join(import.meta.dirname, '../../src/main.ts')

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Asks a port of this machine. */
export async function ask(
  port: number,
  path: string,
  options: RequestOptions = {},
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, agent: false, ...options },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('error', reject)
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
        })
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

/** An upstream of the test; gives its port. */
export async function startUpstream(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Below the ports that the kernel gives to clients (ip_local_port_range, ip(7)): none of theirs comes in between. */
const firstPort = 15_000
const portCount = 17_000

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  while (servers.length < count) servers.push(await listenSomewhere())
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(
    servers.map(async (server) => {
      await new Promise((resolve) => server.close(resolve))
    }),
  )
  return ports
}

async function listenSomewhere(): Promise<Server> {
  for (let tries = 0; tries < 100; tries++) {
    const server = createTcpServer()
    const port = firstPort + Math.floor(Math.random() * portCount)
    const listens = await new Promise<boolean>((resolve) => {
      server.once('error', () => {
        resolve(false)
      })
      server.listen(port, '127.0.0.1', () => {
        resolve(true)
      })
    })
    if (listens) return server
  }
  throw new Error('no port is free')
}

/** A folder of manifests that goes away with the test. */
export function createFolder(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** An Ingress for `host` with all that it needs to reach a port of this machine. */
export function manifest(host: string, port: number, annotations = ''): string {
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: test, annotations: { ${annotations} } }
spec:
  rules:
    - host: ${host}
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: test }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, namespace: test, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ name: http, port: ${port} }]
endpoints: [{ addresses: [127.0.0.1], conditions: { ready: true } }]
`
}

export interface Ports {
  readonly http: number
  readonly https: number
  readonly admin: number
}

/** A process that runs `headgate`, and what it printed. */
export class Program {
  stdout = ''
  stderr = ''
  readonly child: ChildProcess
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>

  constructor(
    t: TestContext,
    args: readonly string[],
    { environment = {}, readStdout = true, within = [] }: ProgramOptions = {},
  ) {
    const [command, ...before] = [...within, process.execPath]
    this.child = spawn(command, [...before, main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...environment },
    })
    if (readStdout) {
      this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    }
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve(code ?? signal ?? '')
      })
    })
    t.after(async () => {
      this.child.kill('SIGKILL')
      this.child.stdout?.destroy()
      await this.ended
    })
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }
}

export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** A command that becomes the program with its arguments, say `unshare`. */
  readonly within?: readonly string[]
  /** False: nobody reads standard output until the test does. */
  readonly readStdout?: boolean
}

/** Starts `headgate serve` on free ports and waits until it is ready. */
export async function startServing(
  t: TestContext,
  folder: string,
  flags: readonly string[] = [],
  options: ProgramOptions = {},
): Promise<{ program: Program; ports: Ports }> {
  const [http = 0, https = 0, admin = 0] = await freePorts(3)
  const ports = { http, https, admin }
  const program = new Program(
    t,
    [
      'serve',
      `--files=${folder}`,
      `--http-port=${http}`,
      `--https-port=${https}`,
      `--admin-port=${admin}`,
      '--bind-address=127.0.0.1',
      '--workers=2',
      ...flags,
    ],
    options,
  )
  await untilReady(program, admin)
  return { program, ports }
}

export async function untilReady(program: Program, adminPort: number): Promise<void> {
  await until(async () => {
    if (!program.running) throw new Error(`ended before it was ready: ${program.stderr}`)
    const answer = await ask(adminPort, '/readyz').catch(() => undefined)
    return answer?.status === 200
  })
}

/** Asks again and again until the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

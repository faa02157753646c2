import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A program under measurement or beside it, with its output in a file. */
export interface Program {
  readonly pid: number
  /** Standard output; standard error is in a file of the same name with .err. */
  readonly outputFile: string
  readonly ended: () => boolean
  readonly stop: () => Promise<void>
}

export interface Command {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  /** CPUs it may run on, as `taskset -c` reads them. */
  readonly cores: string
  readonly folder: string
  readonly environment?: NodeJS.ProcessEnv
}

/** Starts a program on its cores. taskset replaces itself by it, so the process id is the program's. */
export function start(command: Command): Program {
  const outputFile = join(command.folder, `${command.name}.out`)
  const output = openSync(outputFile, 'a')
  const errors = openSync(`${outputFile}.err`, 'a')
  const child = spawn('taskset', ['-c', command.cores, command.file, ...command.args], {
    cwd: command.folder,
    stdio: ['ignore', output, errors],
    env: { ...process.env, ...command.environment },
  })
  closeSync(output)
  closeSync(errors)
  child.on('error', () => {
    // `waitForPort` reports a program that is not there.
  })
  return {
    pid: child.pid ?? 0,
    outputFile,
    ended: () => hasEnded(child),
    stop: async () => {
      await stop(child)
    },
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}

/** Runs a command to its end and returns its standard output; throws when it fails. */
export async function run(file: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  // Who ends before it has read its input may have no need of it: the exit status tells.
  child.stdin.on('error', () => undefined)
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${(errors + output).slice(-500)}`)
  return output
}

/** Resolves when something accepts connections there; throws with the program's own words otherwise. */
export async function waitForPort(port: number, program: Program): Promise<void> {
  for (let tries = 0; tries < 300 && !program.ended(); tries++) {
    if (await accepts(port)) return
    await delay(50)
  }
  throw new Error(`nothing listens on port ${port}: ${lastWords(program)}`)
}

/** What a program said last, for an error message. */
export function lastWords({ outputFile }: Program): string {
  const files = [outputFile, `${outputFile}.err`]
  return files.map((file) => readFileSync(file, 'utf8').slice(-500)).join('')
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(
    servers.map(async (server) => {
      server.close()
      await once(server, 'close')
    }),
  )
  return ports
}

/** How many files and sockets a program that we start may hold open. */
export function openFilesMax(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1')
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 1024)
}

import { existsSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './processes.ts'
import type { Workload } from './workloads.ts'

/** What one round of load did. */
export interface LoadResult {
  readonly requests: number
  /** Failed connections, resets, time-outs and statuses other than 2xx. */
  readonly errors: number
  readonly seconds: number
  /** Milliseconds; undefined where the tool does not say. */
  readonly p99Ms: number | undefined
}

export interface LoadTarget {
  readonly host: string
  readonly port: number
  readonly seconds: number
  /** CPUs of the generator. */
  readonly cores: string
  readonly folder: string
}

export type LoadTool = 'wrk' | 'h2load' | 'node' | 'autocannon'

/** The path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
}

/**
 * The tool for a workload. Full TLS handshakes need our own client, since wrk resumes sessions; so do
 * new connections where wrk is missing, since the others cannot make them at a steady rate.
 */
export function toolFor(workload: Workload): LoadTool {
  if (workload.streams > 0) return 'h2load'
  if (workload.connection === 'handshake') return 'node'
  if (findProgram('wrk') !== undefined) return 'wrk'
  if (workload.connection === 'close') return 'node'
  return findProgram('h2load') === undefined ? 'autocannon' : 'h2load'
}

/** Loads one proxy for some seconds. */
export async function load(workload: Workload, target: LoadTarget): Promise<LoadResult> {
  const tool = toolFor(workload)
  if (tool === 'wrk') return await wrk(workload, target)
  if (tool === 'h2load') return await h2load(workload, target)
  const job = JSON.stringify({ tool, workload, target })
  const generator = join(import.meta.dirname, 'generator.ts')
  const output = await run('taskset', ['-c', target.cores, process.execPath, generator], job)
  return JSON.parse(output) as LoadResult
}

async function wrk(workload: Workload, target: LoadTarget): Promise<LoadResult> {
  const script = join(target.folder, `${workload.id}.lua`)
  writeFileSync(script, luaScript(workload, target.host))
  const connections = String(workload.connections)
  const wrkArgs = ['-t', '1', '-c', connections, '-d', `${target.seconds}s`, '--timeout', '5s']
  const prefix = ['-c', target.cores, 'wrk']
  const output = await run('taskset', [...prefix, ...wrkArgs, '-s', script, url(workload, target)])
  const line = /^RESULT (.*)$/m.exec(output)?.[1]
  if (line === undefined) throw new Error(`wrk said: ${output.slice(-500)}`)
  return JSON.parse(line) as LoadResult
}

/** A request as workload says, and one line of JSON at the end. */
function luaScript(workload: Workload, host: string): string {
  const fields = [...workload.fields, 'Host', host]
  let lines = `wrk.method = ${luaText(workload.method)}\n`
  for (let i = 0; i < fields.length; i += 2) {
    lines += `wrk.headers[${luaText(fields[i] as string)}] = ${luaText(fields[i + 1] as string)}\n`
  }
  if (workload.bodyBytes > 0) lines += `wrk.body = string.rep("x", ${workload.bodyBytes})\n`
  if (workload.changing) lines += changingRequests(workload)
  return `${lines}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"errors":%d,"seconds":%.6f,"p99Ms":%.3f}\\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    summary.duration / 1e6, latency:percentile(99) / 1e3))
end
`
}

function changingRequests({ path }: Workload): string {
  return `local count = 0
request = function()
  count = count + 1
  wrk.headers["Cookie"] = "session=" .. count
  return wrk.format(nil, ${luaText(`${path}?page=`)} .. count)
end
`
}

function luaText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** By number of requests: `-D`, by time, does not end with HTTP/1.1 in some releases of h2load. */
async function h2load(workload: Workload, target: LoadTarget): Promise<LoadResult> {
  const first = await h2loadRequests(workload, target, workload.connections * 50)
  const rest = Math.ceil((first.requests / first.seconds) * (target.seconds - first.seconds))
  if (rest <= workload.connections) return first
  const second = await h2loadRequests(workload, target, rest)
  return {
    requests: first.requests + second.requests,
    errors: first.errors + second.errors,
    seconds: first.seconds + second.seconds,
    p99Ms: undefined,
  }
}

async function h2loadRequests(
  workload: Workload,
  target: LoadTarget,
  count: number,
): Promise<LoadResult> {
  const fields = [...workload.fields, ':authority', target.host]
  const version = workload.streams === 0 ? ['--h1'] : ['-m', String(workload.streams)]
  const args = [...version, '-t', '1', '-c', String(workload.connections), '-n', String(count)]
  for (let i = 0; i < fields.length; i += 2)
    args.push('-H', `${fields[i]?.toLowerCase()}: ${fields[i + 1]}`)
  if (workload.bodyBytes > 0) {
    const body = join(target.folder, `${workload.id}.body`)
    writeFileSync(body, Buffer.alloc(workload.bodyBytes, 'x'))
    args.push('-d', body)
  }
  const output = await run('taskset', [
    '-c',
    target.cores,
    'h2load',
    ...args,
    url(workload, target),
  ])
  const good = Number(/status codes: (\d+) 2xx/.exec(output)?.[1])
  const time = /finished in ([\d.]+)(m?s)/.exec(output)
  if (time === null || Number.isNaN(good)) throw new Error(`h2load said: ${output.slice(-500)}`)
  const seconds = Number(time[1]) / (time[2] === 'ms' ? 1000 : 1)
  return { requests: good, errors: count - good, seconds, p99Ms: undefined }
}

function url(workload: Workload, target: LoadTarget): string {
  return `${workload.tls ? 'https' : 'http'}://127.0.0.1:${target.port}${workload.path}`
}

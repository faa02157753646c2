import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { LoadResult, LoadTarget } from './load.ts'
import type { Workload } from './workloads.ts'

/**
 * A program of its own: makes load as the job on standard input says and prints the result. It does
 * what wrk cannot, a full TLS handshake for every request, and stands in where wrk is missing.
 */
interface Job {
  readonly tool: 'node' | 'autocannon'
  readonly workload: Workload
  readonly target: LoadTarget
}

/** The same group for all, so that nobody pays for a key exchange that another does not offer. */
const keyExchange = 'X25519'

const job = JSON.parse(await readStandardInput()) as Job
const result = job.tool === 'node' ? await newConnections(job) : await cannon(job)
process.stdout.write(JSON.stringify(result))

async function readStandardInput(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) text += String(chunk)
  return text
}

/** Loops of: connect, full handshake where there is TLS, one request, read to the end. */
async function newConnections({ workload, target }: Job): Promise<LoadResult> {
  const startMs = performance.now()
  const endMs = startMs + target.seconds * 1000
  const timesMs: number[] = []
  let errors = 0
  const loop = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const beganMs = performance.now()
      const answer = await exchangeOnce(workload, target)
      if (/^HTTP\/1\.1 2\d\d /.test(answer)) timesMs.push(performance.now() - beganMs)
      else errors++
    }
  }
  await Promise.all(Array.from({ length: workload.connections }, loop))
  const sorted = timesMs.toSorted((a, b) => a - b)
  return {
    requests: timesMs.length,
    errors,
    seconds: (performance.now() - startMs) / 1000,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)],
  }
}

async function exchangeOnce(workload: Workload, target: LoadTarget): Promise<string> {
  const socket = workload.tls ? openTls(target) : connect(target.port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  try {
    await once(socket, workload.tls ? 'secureConnect' : 'connect')
    socket.write(requestText(workload, target.host))
    await once(socket, 'end')
  } catch {
    return ''
  } finally {
    socket.destroy()
  }
  return answer
}

function openTls(target: LoadTarget): TLSSocket {
  return connectTls({
    host: '127.0.0.1',
    port: target.port,
    servername: target.host,
    ecdhCurve: keyExchange,
    minVersion: 'TLSv1.3',
    // The certificate is our own, made for the run.
    rejectUnauthorized: false,
  })
}

function requestText(workload: Workload, host: string): string {
  let lines = `${workload.method} ${workload.path} HTTP/1.1\r\nHost: ${host}\r\n`
  for (let i = 0; i < workload.fields.length; i += 2) {
    lines += `${workload.fields[i]}: ${workload.fields[i + 1]}\r\n`
  }
  return `${lines}\r\n`
}

async function cannon({ workload, target }: Job): Promise<LoadResult> {
  const { default: autocannon } = await import('autocannon')
  const headers: Record<string, string> = { Host: target.host }
  for (let i = 0; i < workload.fields.length; i += 2) {
    headers[workload.fields[i] as string] = workload.fields[i + 1] as string
  }
  const summary = await autocannon({
    url: `${workload.tls ? 'https' : 'http'}://127.0.0.1:${target.port}${workload.path}`,
    connections: workload.connections,
    duration: target.seconds,
    method: workload.method,
    headers,
    ...(workload.bodyBytes > 0 ? { body: 'x'.repeat(workload.bodyBytes) } : {}),
  })
  return {
    requests: summary['2xx'],
    errors: summary.errors + summary.non2xx,
    seconds: summary.duration,
    p99Ms: summary.latency.p99,
  }
}

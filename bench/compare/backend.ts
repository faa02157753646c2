import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import { findProgram } from './load.ts'
import { startNginxBackend } from './nginx.ts'
import type { Backend } from './nginx.ts'
import { hiddenField, policiesPath, requestFields, seenField } from './policies.ts'
import { freePorts, start, waitForPort } from './processes.ts'
import type { Site } from './site.ts'
import { streamMessages } from './workloads.ts'

const small = 'x'.repeat(64)
const large = Buffer.alloc(1_048_576, 'x')

/**
 * The backends of all proxies: that of most rows, and a program of its own for streams of messages.
 */
export async function startBackend(site: Site, cores: string): Promise<Backend> {
  const most = await startMost(site, cores)
  try {
    const [streamPort = 0] = await freePorts(1)
    const program = start({
      name: `streams-${streamPort}`,
      file: process.execPath,
      args: [import.meta.filename, 'streams', String(streamPort)],
      cores,
      folder: site.folder,
    })
    await waitForPort(streamPort, program)
    const stop = async (): Promise<void> => {
      await Promise.all([most.stop(), program.stop()])
    }
    return { ...most, streamPort, stop }
  } catch (error) {
    await most.stop()
    throw error
  }
}

/**
 * The backend of most rows, on the cores of the load: nginx where it is installed, since it costs
 * less than any proxy in front of it; else this file as a program of its own.
 */
async function startMost(site: Site, cores: string): Promise<Omit<Backend, 'streamPort'>> {
  const nginx = findProgram('nginx')
  if (nginx !== undefined) return await startNginxBackend(nginx, site, cores)
  const [port = 0, grpcPort = 0] = await freePorts(2)
  const program = start({
    name: `backend-${port}`,
    file: process.execPath,
    args: [import.meta.filename, 'all', String(port), String(grpcPort)],
    cores,
    folder: site.folder,
  })
  await waitForPort(port, program)
  return { port, grpcPort, stop: program.stop }
}

function serve(port: number, grpcPort: number): void {
  const server = createServer((request, response) => {
    request.resume()
    if (request.url === policiesPath) showFields(request, response)
    response.end(request.url === '/1m' ? large : small)
  })
  server.keepAliveTimeout = 3_600_000
  server.listen(port, '127.0.0.1', 4096)
  const grpc = createHttp2Server()
  grpc.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.on('error', () => undefined)
    stream.resume()
    stream.end(small)
  })
  grpc.listen(grpcPort, '127.0.0.1', 4096)
}

function showFields({ headers }: IncomingMessage, response: ServerResponse): void {
  const seen = Object.keys(requestFields).map((name) => headers[name.toLowerCase()] ?? '')
  response.setHeader(hiddenField.name, hiddenField.value)
  response.setHeader(seenField.name, seen.join(' '))
}

/** Answers each call with messages that leave one by one. */
function serveStreams(port: number): void {
  const message = Buffer.concat([Buffer.of(0, 0, 0, 0, small.length), Buffer.from(small)])
  const server = createHttp2Server()
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.on('error', () => undefined)
    stream.resume()
    let left = streamMessages
    const next = (): void => {
      if (stream.destroyed) return
      if (--left < 0) stream.end()
      else stream.write(message, next)
    }
    next()
  })
  server.listen(port, '127.0.0.1', 4096)
}

if (import.meta.main) {
  const [, , kind, port, grpcPort] = process.argv
  if (kind === 'streams') serveStreams(Number(port))
  else serve(Number(port), Number(grpcPort))
}

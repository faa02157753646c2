import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import { join } from 'node:path'
import { findProgram } from './load.ts'
import { startNginxBackend } from './nginx.ts'
import type { Backend } from './nginx.ts'
import { freePorts, start, waitForPort } from './processes.ts'
import type { Site } from './site.ts'

const small = 'x'.repeat(64)
const large = Buffer.alloc(1_048_576, 'x')

/**
 * The backend of all proxies, on the cores of the load: nginx where it is installed, since it costs
 * less than any proxy in front of it; else this file as a program of its own.
 */
export async function startBackend(site: Site, cores: string): Promise<Backend> {
  const nginx = findProgram('nginx')
  if (nginx !== undefined) return await startNginxBackend(nginx, site, cores)
  const [port = 0, grpcPort = 0] = await freePorts(2)
  const program = start({
    name: `backend-${port}`,
    file: process.execPath,
    args: [join(import.meta.dirname, 'backend.ts'), String(port), String(grpcPort)],
    cores,
    folder: site.folder,
  })
  await waitForPort(port, program)
  return { port, grpcPort, stop: program.stop }
}

function serve(port: number, grpcPort: number): void {
  const server = createServer((request, response) => {
    request.resume()
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

if (import.meta.main) serve(Number(process.argv[2]), Number(process.argv[3]))

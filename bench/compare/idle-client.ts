import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/**
 * A program of its own: opens connections, sends one request on each, reads the answer and holds
 * them open until standard input ends. Arguments: port, connections, `plain` or `tls`, host.
 * Prints one line of JSON when all are open.
 */
const [port = 0, connections = 0] = process.argv.slice(2, 4).map(Number)
const [kind = 'plain', host = ''] = process.argv.slice(4)
const atOnce = 50

const sockets: Socket[] = []
let failed = 0
await Promise.all(Array.from({ length: atOnce }, openSome))
process.stdout.write(`${JSON.stringify({ open: sockets.length, failed })}\n`)
await once(process.stdin.resume(), 'end')
for (const socket of sockets) socket.destroy()

async function openSome(): Promise<void> {
  while (sockets.length + failed < connections) {
    const socket = open()
    sockets.push(socket)
    try {
      await once(socket, kind === 'tls' ? 'secureConnect' : 'connect')
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      if (!chunk.toString('latin1').startsWith('HTTP/1.1 200 ')) failed++
    } catch {
      failed++
    }
  }
}

function open(): Socket {
  const where = { host: '127.0.0.1', port }
  const socket =
    kind === 'tls'
      ? connectTls({ ...where, servername: host, rejectUnauthorized: false })
      : connectPlain(where)
  socket.on('error', () => {
    // Counted where it is awaited.
  })
  return socket
}

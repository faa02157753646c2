import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 }
/** What a length of 16 bits can say. */
const payloadBytesMax = 65_535

interface Frame {
  readonly opcode: number
  /** FIN and opcode as received, so that an echo keeps the parts of a message as they were. */
  readonly first: number
  readonly payload: Buffer
  /** Bytes of the frame in all. */
  readonly size: number
}

/** Answers an upgrade to WebSocket (RFC 6455) with a greeting, and sends back what comes. */
export function echoWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  early: Buffer,
  greeting: string,
): void {
  const key = request.headers['sec-websocket-key']
  if (key === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    return
  }
  socket.on('error', () => socket.destroy())
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`,
    ].join('\r\n'),
  )
  send(socket, 0x80 | opcodes.text, Buffer.from(greeting))
  let received = early
  const take = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk])
    received = received.subarray(echoFrames(received, socket))
    if (received.length > payloadBytesMax + 14) socket.destroy()
  }
  socket.on('data', take)
  // A client that goes without a close frame; the server's sockets stay half open by themselves.
  socket.on('end', () => socket.end())
  take(Buffer.alloc(0))
}

function acceptOf(key: string): string {
  const fixed = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
  return createHash('sha1')
    .update(key + fixed)
    .digest('base64')
}

/** Answers the whole frames in `received`; gives the number of bytes used. */
function echoFrames(received: Buffer, socket: Duplex): number {
  let used = 0
  let frame = readFrame(received)
  while (frame !== undefined) {
    used += frame.size
    if (frame.payload.length > payloadBytesMax) {
      socket.destroy()
      return received.length
    }
    if (frame.opcode === opcodes.close) {
      send(socket, 0x80 | opcodes.close, frame.payload.subarray(0, 2))
      socket.end()
      return received.length
    }
    if (frame.opcode === opcodes.ping) send(socket, 0x80 | opcodes.pong, frame.payload)
    else if (frame.opcode !== opcodes.pong) send(socket, frame.first, frame.payload)
    frame = readFrame(received.subarray(used))
  }
  return used
}

/** The first frame, unmasked, or undefined while bytes are missing. */
function readFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 6) return undefined
  const first = bytes.readUInt8(0)
  const short = bytes.readUInt8(1) & 0x7f
  const start = 6 + ({ 126: 2, 127: 8 }[short] ?? 0)
  if (bytes.length < start) return undefined
  let length = short
  if (short === 126) length = bytes.readUInt16BE(2)
  else if (short === 127) length = Number(bytes.readBigUInt64BE(2))
  if (bytes.length < start + length) return undefined
  const mask = bytes.subarray(start - 4, start)
  const payload = Buffer.from(bytes.subarray(start, start + length))
  for (let i = 0; i < length; i++) payload[i] = (payload[i] as number) ^ (mask[i & 3] as number)
  return { opcode: first & 0x0f, first, payload, size: start + length }
}

function send(socket: Duplex, first: number, payload: Buffer): void {
  const head =
    payload.length < 126
      ? Buffer.from([first, payload.length])
      : Buffer.from([first, 126, payload.length >> 8, payload.length & 0xff])
  socket.write(Buffer.concat([head, payload]))
}

import { createHash } from 'node:crypto'

/** RFC 6455 1.3. */
const acceptGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * What a server answers to a Sec-WebSocket-Key (RFC 6455 4.2.2). HTTP/2 has neither field (RFC 8441 5),
 * so a session makes the key for an HTTP/1.1 upstream, and the answer for an HTTP/1.1 client.
 */
export function webSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + acceptGuid)
    .digest('base64')
}

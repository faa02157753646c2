import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** A refusal: what the client is told. */
export interface Refusal {
  readonly status: number
  readonly message: string
}

/** The header that carries the token. */
export const tokenHeader = 'x-headgate-token'

/**
 * Who may see the pages and the API: clients on this machine, and those who know the token. Names
 * what is wrong, or undefined.
 *
 * A browser on this machine can be led here under a foreign name (DNS rebinding). It then sends that
 * name as Host, so a client without the token must name an address or localhost.
 */
export function refusePrivate(request: IncomingMessage, token: string): Refusal | undefined {
  const sent = request.headers[tokenHeader]
  if (typeof sent === 'string' && token !== '' && sameText(sent, token)) return undefined
  if (!isLoopback(request.socket.remoteAddress ?? '')) {
    return { status: 403, message: 'only for clients on this machine, or with X-Headgate-Token' }
  }
  if (!namesThisMachine(request.headers.host ?? '')) {
    return { status: 421, message: 'the Host must be an address or localhost' }
  }
  return undefined
}

export function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}

/** Whether a Host field holds an address or localhost, with or without a port. */
export function namesThisMachine(host: string): boolean {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host)
  if (bracketed !== null) return isIP(bracketed[1] as string) === 6
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || isIP(name) === 4
}

/** Compares in a time that says nothing about the texts. */
function sameText(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

import { SocketAddress as NodeSocketAddress, isIPv4, isIPv6 } from 'node:net'
import { plainAddress } from './peers.ts'
import type { SocketAddress } from './peers.ts'

/** The client, and where it connected to. */
export interface ProxyAddresses {
  readonly source: SocketAddress
  readonly destination: SocketAddress
}

/** A PROXY protocol header, version 1 or 2 (HAProxy, doc/proxy-protocol.txt, 2020). */
export interface ProxyHeader {
  /** Bytes that it takes; what the client sent begins behind them. */
  readonly length: number
  /** Undefined: the header names none, the socket's own count. */
  readonly addresses: ProxyAddresses | undefined
}

export type ProxyHeaderResult = ProxyHeader | 'incomplete' | { readonly problem: string }

/** The longest header that is read; the specification's own buffers are smaller. */
export const proxyHeaderBytesMax = 4096

const version1 = Buffer.from('PROXY ', 'latin1')
const version1BytesMax = 107
const version2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const version2HeadBytes = 16
const local = 0
const proxied = 1
const ipv4 = 1
const ipv6 = 2
const datagram = 2
/** Address bytes by family: unspecified, IPv4, IPv6, UNIX. */
const addressBytes = [0, 12, 36, 216]
const addressChecks = new Map([
  ['TCP4', isIPv4],
  ['TCP6', (text: string) => isIPv6(text) && !text.includes('%')],
])

/** Reads the header that must be at the start of a connection. All its bytes so far are to be given. */
export function readProxyHeader(buffer: Buffer, start: number, end: number): ProxyHeaderResult {
  if (start === end) return 'incomplete'
  if (beginsWith(buffer, start, end, version2)) return readVersion2(buffer, start, end)
  if (beginsWith(buffer, start, end, version1)) return readVersion1(buffer, start, end)
  return { problem: 'no PROXY header' }
}

/** Whether the bytes are the start of a signature, as far as they go. */
function beginsWith(buffer: Buffer, start: number, end: number, signature: Buffer): boolean {
  const size = Math.min(end - start, signature.length)
  return buffer.compare(signature, 0, size, start, start + size) === 0
}

function readVersion1(buffer: Buffer, start: number, end: number): ProxyHeaderResult {
  const text = buffer.latin1Slice(start, Math.min(end, start + version1BytesMax))
  const lineEnd = text.indexOf('\r\n')
  if (lineEnd < 0) {
    if (text.length < version1BytesMax && !text.slice(0, -1).includes('\r')) return 'incomplete'
    return { problem: 'a PROXY line without end' }
  }
  const words = text.slice(0, lineEnd).split(' ')
  const length = lineEnd + 2
  if (words[1] === 'UNKNOWN') return { length, addresses: undefined }
  const addresses = words.length === 6 ? readWords(words) : undefined
  return addresses === undefined ? { problem: 'a malformed PROXY line' } : { length, addresses }
}

function readWords(words: readonly string[]): ProxyAddresses | undefined {
  const [, protocol = '', source = '', destination = ''] = words
  const isAddress = addressChecks.get(protocol)
  if (isAddress === undefined || !isAddress(source) || !isAddress(destination)) return undefined
  const [sourcePort, destinationPort] = [portOf(words[4]), portOf(words[5])]
  if (sourcePort < 0 || destinationPort < 0) return undefined
  return {
    source: { address: canonical(source), port: sourcePort },
    destination: { address: canonical(destination), port: destinationPort },
  }
}

/** -1 for anything but a decimal number up to 65535 without leading zeros. */
function portOf(text: string | undefined): number {
  if (text === undefined || !/^(?:0|[1-9][0-9]{0,4})$/.test(text)) return -1
  const port = Number(text)
  return port > 65535 ? -1 : port
}

function readVersion2(buffer: Buffer, start: number, end: number): ProxyHeaderResult {
  if (end - start < version2HeadBytes) return 'incomplete'
  const command = (buffer[start + 12] as number) & 0x0f
  const family = (buffer[start + 13] as number) >> 4
  const bodyBytes = buffer.readUInt16BE(start + 14)
  const problem = problemOfVersion2(buffer, start)
  if (problem !== '') return { problem }
  const length = version2HeadBytes + bodyBytes
  if (end - start < length) return 'incomplete'
  const transport = (buffer[start + 13] as number) & 0x0f
  if (command === local || transport === 0 || (family !== ipv4 && family !== ipv6)) {
    return { length, addresses: undefined }
  }
  const at = start + version2HeadBytes
  if (!areTypeLengthValues(buffer, at + (addressBytes[family] as number), start + length)) {
    return { problem: 'a PROXY header with malformed extensions' }
  }
  return { length, addresses: family === ipv4 ? readIpv4(buffer, at) : readIpv6(buffer, at) }
}

/** Of the fixed part, which is there; '' for none. */
function problemOfVersion2(buffer: Buffer, start: number): string {
  const versionAndCommand = buffer[start + 12] as number
  const familyAndTransport = buffer[start + 13] as number
  const bodyBytes = buffer.readUInt16BE(start + 14)
  const command = versionAndCommand & 0x0f
  const needed = addressBytes[familyAndTransport >> 4]
  if (versionAndCommand >> 4 !== 2 || command > proxied) {
    return 'a PROXY header of an unknown version or command'
  }
  if (needed === undefined || (familyAndTransport & 0x0f) > datagram) {
    return 'a PROXY header of an unknown address family'
  }
  if (bodyBytes > proxyHeaderBytesMax - version2HeadBytes) return 'a PROXY header that is too large'
  if (command === proxied && bodyBytes < needed) {
    return 'a PROXY header that is too short for its addresses'
  }
  return ''
}

/** Extensions are skipped, but must be well-formed. */
function areTypeLengthValues(buffer: Buffer, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    if (end - at < 3) return false
    at += 3 + buffer.readUInt16BE(at + 1)
  }
  return at === end
}

function readIpv4(buffer: Buffer, at: number): ProxyAddresses {
  return {
    source: { address: buffer.subarray(at, at + 4).join('.'), port: buffer.readUInt16BE(at + 8) },
    destination: {
      address: buffer.subarray(at + 4, at + 8).join('.'),
      port: buffer.readUInt16BE(at + 10),
    },
  }
}

function readIpv6(buffer: Buffer, at: number): ProxyAddresses {
  return {
    source: { address: ipv6Text(buffer, at), port: buffer.readUInt16BE(at + 32) },
    destination: { address: ipv6Text(buffer, at + 16), port: buffer.readUInt16BE(at + 34) },
  }
}

function ipv6Text(buffer: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => buffer.readUInt16BE(at + 2 * i).toString(16))
  return canonical(groups.join(':'))
}

/** One text for one address (RFC 5952), so that it can be compared. */
function canonical(address: string): string {
  if (!address.includes(':')) return address
  return plainAddress(new NodeSocketAddress({ address, family: 'ipv6' }).address)
}

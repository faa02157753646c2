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
/** Address bytes by family; 0 is unspecified, 3 is UNIX. */
const addressBytes = [0, 12, 36, 216]

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
  const line = buffer.latin1Slice(start, Math.min(end, start + version1BytesMax))
  const lineEnd = line.indexOf('\r\n')
  if (lineEnd < 0) {
    if (line.length < version1BytesMax && !line.slice(0, -1).includes('\r')) return 'incomplete'
    return { problem: 'a PROXY line without end' }
  }
  const length = lineEnd + 2
  const [, protocol, source = '', destination = '', sourcePort, destinationPort, ...more] = line
    .slice(0, lineEnd)
    .split(' ')
  if (protocol === 'UNKNOWN') return { length, addresses: undefined }
  const isAddress = protocol === 'TCP4' ? isIPv4 : isIPv6
  const ports = [portOf(sourcePort), portOf(destinationPort)] as const
  if (
    (protocol !== 'TCP4' && protocol !== 'TCP6') ||
    !isAddress(source) ||
    !isAddress(destination) ||
    `${source}${destination}`.includes('%') ||
    ports[0] < 0 ||
    ports[1] < 0 ||
    more.length > 0
  ) {
    return { problem: 'a malformed PROXY line' }
  }
  return {
    length,
    addresses: {
      source: { address: canonical(source), port: ports[0] },
      destination: { address: canonical(destination), port: ports[1] },
    },
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
  const versionAndCommand = buffer[start + 12] as number
  const family = (buffer[start + 13] as number) >> 4
  const transport = (buffer[start + 13] as number) & 0x0f
  const bodyBytes = buffer.readUInt16BE(start + 14)
  const length = version2HeadBytes + bodyBytes
  const command = versionAndCommand & 0x0f
  if (versionAndCommand >> 4 !== 2 || command > proxied) {
    return { problem: 'a PROXY header of an unknown version or command' }
  }
  if (family >= addressBytes.length || transport > 2) {
    return { problem: 'a PROXY header of an unknown address family' }
  }
  if (length > proxyHeaderBytesMax) return { problem: 'a PROXY header that is too large' }
  if (command === proxied && bodyBytes < (addressBytes[family] as number)) {
    return { problem: 'a PROXY header that is too short for its addresses' }
  }
  if (end - start < length) return 'incomplete'
  if (command === local || transport === 0 || family === 0 || family === 3) {
    return { length, addresses: undefined }
  }
  const at = start + version2HeadBytes
  if (!areTypeLengthValues(buffer, at + (addressBytes[family] as number), start + length)) {
    return { problem: 'a PROXY header with malformed extensions' }
  }
  return { length, addresses: family === 1 ? readIpv4(buffer, at) : readIpv6(buffer, at) }
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

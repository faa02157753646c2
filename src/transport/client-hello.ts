import { isIP } from 'node:net'

/** What a client says before anything is encrypted (RFC 8446 4.1.2), as far as it decides who serves it. */
export interface ClientHello {
  /** SNI in lower case without final dot; '' for none, and for an address, which RFC 6066 does not allow. */
  readonly serverName: string
  /** Protocols in the client's order of preference (RFC 7301). */
  readonly alpn: readonly string[]
  /** Versions offered, e.g. 0x0304 for TLS 1.3. */
  readonly versions: readonly number[]
}

/**
 * `plain-http`: these bytes are the start of an HTTP request; the answer is 400 in plain text.
 * `malformed`: neither that nor a ClientHello; `problem` says why.
 */
export type ClientHelloState = 'incomplete' | 'complete' | 'plain-http' | 'malformed'

/** The largest that is read, records and all. Browsers send 0.5 to 2 KB. */
export const clientHelloBytesMax = 16 * 1024

const handshakeRecord = 22
const clientHelloMessage = 1
const recordHeaderBytes = 5
const messageHeaderBytes = 4
const recordBytesMax = 16 * 1024
const nameBytesMax = 255
const serverNameExtension = 0
const alpnExtension = 16
const versionsExtension = 43
const noBytes = Buffer.alloc(0)

/**
 * Reads the ClientHello that begins a TLS connection, however it is cut into records and reads.
 * It consumes nothing: the caller keeps the bytes for the TLS library.
 */
export class ClientHelloReader {
  hello: ClientHello | undefined
  problem = ''
  #bytes = 0
  /** Handshake bytes so far, records taken apart. */
  #message = noBytes
  #messageEnd = 0
  #recordHeader = noBytes
  #headerBytes = 0
  #recordLeft = 0

  /** Takes the next bytes. Not to be called again after another answer than `incomplete`. */
  push(buffer: Buffer, start: number, end: number): ClientHelloState {
    if (this.#bytes === 0 && start < end && buffer[start] !== handshakeRecord) {
      return this.#refuseFirst(buffer[start] as number)
    }
    this.#bytes += end - start
    try {
      return this.#read(buffer, start, end)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.problem = error.message
      return 'malformed'
    }
  }

  #refuseFirst(byte: number): ClientHelloState {
    if (startsHttp(byte)) return 'plain-http'
    this.problem = 'not TLS'
    return 'malformed'
  }

  #read(buffer: Buffer, start: number, end: number): ClientHelloState {
    if (this.#bytes === end - start && isOneRecord(buffer, start, end)) {
      this.hello = parseClientHello(buffer, start + recordHeaderBytes, end)
      return 'complete'
    }
    let at = start
    while (at < end) {
      if (this.#recordLeft === 0) {
        at = this.#readRecordHeader(buffer, at, end)
        continue
      }
      const size = Math.min(this.#recordLeft, end - at)
      this.#append(buffer, at, at + size)
      this.#recordLeft -= size
      at += size
      const message = this.#message.subarray(0, this.#messageEnd)
      if (isWhole(message)) {
        this.hello = parseClientHello(message, 0, message.length)
        return 'complete'
      }
    }
    if (this.#bytes >= clientHelloBytesMax) throw new Malformed('ClientHello too large')
    return 'incomplete'
  }

  #readRecordHeader(buffer: Buffer, start: number, end: number): number {
    if (this.#headerBytes === 0) this.#recordHeader = Buffer.alloc(recordHeaderBytes)
    const header = this.#recordHeader
    const size = Math.min(recordHeaderBytes - this.#headerBytes, end - start)
    buffer.copy(header, this.#headerBytes, start, start + size)
    this.#headerBytes += size
    if (this.#headerBytes < recordHeaderBytes) return start + size
    this.#headerBytes = 0
    const length = header.readUInt16BE(3)
    if (header[0] !== handshakeRecord) throw new Malformed('a record that is no handshake')
    if (header[1] !== 3) throw new Malformed('a record of an unknown version')
    if (length === 0 || length > recordBytesMax) throw new Malformed('a record of a bad length')
    this.#recordLeft = length
    return start + size
  }

  #append(buffer: Buffer, start: number, end: number): void {
    const size = this.#messageEnd + end - start
    if (size > this.#message.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#message.length))
      this.#message.copy(larger, 0, 0, this.#messageEnd)
      this.#message = larger
    }
    buffer.copy(this.#message, this.#messageEnd, start, end)
    this.#messageEnd = size
  }
}

class Malformed extends Error {}

/** The start of a method (RFC 9110 9.1), or an empty line before it. */
function startsHttp(byte: number): boolean {
  const upper = byte >= 0x41 && byte <= 0x5a
  const lower = byte >= 0x61 && byte <= 0x7a
  return upper || lower || byte === 0x0d || byte === 0x0a
}

function isWhole(message: Buffer): boolean {
  if (message.length > 0 && message[0] !== clientHelloMessage) throw new Malformed('no ClientHello')
  if (message.length < messageHeaderBytes) return false
  const size = messageHeaderBytes + message.readUIntBE(1, 3)
  if (size > clientHelloBytesMax) throw new Malformed('ClientHello too large')
  return message.length >= size
}

/** Whether the first record holds all of the hello and is here, as nearly always. */
function isOneRecord(buffer: Buffer, start: number, end: number): boolean {
  const at = start + recordHeaderBytes
  if (end - at < messageHeaderBytes || buffer[start + 1] !== 3) return false
  const recordBytes = buffer.readUInt16BE(start + 3)
  const messageBytes = messageHeaderBytes + buffer.readUIntBE(at + 1, 3)
  if (recordBytes > recordBytesMax || at + recordBytes > end) return false
  return (
    buffer[at] === clientHelloMessage &&
    messageBytes <= recordBytes &&
    messageBytes <= clientHelloBytesMax
  )
}

/** What lies between `start` and `end` may be more than the message. */
function parseClientHello(buffer: Buffer, start: number, end: number): ClientHello {
  const body = new Cursor(buffer, start, end)
  body.skip(1)
  const hello = body.vector(3)
  const legacyVersion = hello.number(2)
  hello.skip(32)
  if (hello.vector(1).left > 32) throw new Malformed('a session id of more than 32 bytes')
  const suites = hello.vector(2)
  if (suites.left < 2 || suites.left % 2 !== 0) throw new Malformed('a bad list of cipher suites')
  if (hello.vector(1).left < 1) throw new Malformed('no compression method')
  // TLS 1.2 may have none.
  const extensions = hello.left === 0 ? hello : hello.vector(2)
  if (hello.left > 0) throw new Malformed('bytes behind the extensions')
  return readExtensions(extensions, legacyVersion)
}

function readExtensions(extensions: Cursor, legacyVersion: number): ClientHello {
  const seen = new Set<number>()
  let serverName = ''
  let alpn: readonly string[] = []
  let versions: readonly number[] = [legacyVersion]
  while (extensions.left > 0) {
    const type = extensions.number(2)
    const data = extensions.vector(2)
    if (seen.has(type)) throw new Malformed(`extension ${type} twice`)
    seen.add(type)
    if (type === serverNameExtension) serverName = readServerName(data)
    else if (type === alpnExtension) alpn = readAlpn(data)
    else if (type === versionsExtension) versions = readVersions(data)
  }
  return { serverName, alpn, versions }
}

function readServerName(data: Cursor): string {
  const list = data.vector(2)
  if (data.left > 0 || list.left === 0) throw new Malformed('a bad list of server names')
  const hostName = list.number(1) === 0
  const name = list.vector(2).text().toLowerCase()
  if (!hostName || list.left > 0) throw new Malformed('a server name that is no host name')
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  if (isIP(bare) !== 0) return ''
  if (bare.length > nameBytesMax || !/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(bare)) {
    throw new Malformed('a server name that is no DNS name')
  }
  return bare
}

function readAlpn(data: Cursor): string[] {
  const list = data.vector(2)
  const names: string[] = []
  while (list.left > 0) {
    const name = list.vector(1).text()
    if (name === '') throw new Malformed('an empty protocol name')
    names.push(name)
  }
  if (data.left > 0 || names.length === 0) throw new Malformed('a bad list of protocols')
  return names
}

function readVersions(data: Cursor): number[] {
  const list = data.vector(1)
  const versions: number[] = []
  while (list.left > 0) versions.push(list.number(2))
  if (data.left > 0 || versions.length === 0) throw new Malformed('a bad list of versions')
  return versions.filter((version) => !isGrease(version))
}

/** Values without meaning that clients send to keep servers tolerant (RFC 8701). */
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}

/** Reads the presentation language of RFC 8446 3; leaving the range is malformed. */
class Cursor {
  readonly #buffer: Buffer
  readonly #end: number
  #at: number

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
  }

  get left(): number {
    return this.#end - this.#at
  }

  skip(bytes: number): void {
    if (bytes > this.left) throw new Malformed('a length that leads out of its structure')
    this.#at += bytes
  }

  number(bytes: number): number {
    const at = this.#at
    this.skip(bytes)
    return this.#buffer.readUIntBE(at, bytes)
  }

  /** What lies behind a length of that many bytes. */
  vector(lengthBytes: number): Cursor {
    const length = this.number(lengthBytes)
    const at = this.#at
    this.skip(length)
    return new Cursor(this.#buffer, at, at + length)
  }

  text(): string {
    return this.#buffer.latin1Slice(this.#at, this.#end)
  }
}

import {
  errorCode,
  flag,
  frameType,
  maxFrameBytes,
  defaultFrameBytes,
  maxWindow,
  setting,
} from '../protocol.ts'
import type { ErrorCode } from '../protocol.ts'
import { readUint32 } from './output.ts'
import type { Output } from './output.ts'

/** What the peer announced (RFC 9113 6.5.2), as far as it matters here. */
export interface PeerSettings {
  headerTableSize: number
  maxConcurrentStreams: number
  initialWindowSize: number
  enableConnectProtocol: boolean
  /** The peer is a server: it must not offer pushes. */
  readonly fromServer: boolean
  /** Its first SETTINGS frame has come. */
  received: boolean
}

export function initialSettings(fromServer: boolean): PeerSettings {
  return {
    headerTableSize: 4096,
    // Until the peer says otherwise; RFC 9113 recommends that no one allow fewer.
    maxConcurrentStreams: 100,
    initialWindowSize: 65_535,
    enableConnectProtocol: false,
    fromServer,
    received: false,
  }
}

/** Reads the payload of a SETTINGS frame into `settings`; returns an error for the connection. */
export function readSettings(
  settings: PeerSettings,
  buffer: Buffer,
  start: number,
  end: number,
): ErrorCode {
  // Without a limit announced there is none.
  if (!settings.received) settings.maxConcurrentStreams = maxWindow
  settings.received = true
  for (let at = start; at < end; at += 6) {
    const id = ((buffer[at] as number) << 8) | (buffer[at + 1] as number)
    const error = applySetting(settings, id, readUint32(buffer, at + 2))
    if (error !== errorCode.none) return error
  }
  return errorCode.none
}

function applySetting(settings: PeerSettings, id: number, value: number): ErrorCode {
  switch (id) {
    case setting.headerTableSize:
      settings.headerTableSize = value
      return errorCode.none
    case setting.enablePush:
      return protocolUnless(value <= (settings.fromServer ? 0 : 1))
    case setting.maxConcurrentStreams:
      settings.maxConcurrentStreams = value
      return errorCode.none
    case setting.initialWindowSize:
      if (value > maxWindow) return errorCode.flowControl
      settings.initialWindowSize = value
      return errorCode.none
    case setting.maxFrameSize:
      // Our frames never exceed the size that every peer takes: small bodies get their turn sooner.
      return protocolUnless(value >= defaultFrameBytes && value <= maxFrameBytes)
    case setting.enableConnectProtocol:
      return applyConnectProtocol(settings, value)
    default:
      return errorCode.none
  }
}

/** RFC 8441 3: once given it is not taken back. */
function applyConnectProtocol(settings: PeerSettings, value: number): ErrorCode {
  const before = settings.enableConnectProtocol
  settings.enableConnectProtocol = value === 1
  return protocolUnless(value === 1 || (value === 0 && !before))
}

function protocolUnless(good: boolean): ErrorCode {
  return good ? errorCode.none : errorCode.protocol
}

/** Sends SETTINGS with these pairs of number and value. */
export function writeSettings(out: Output, pairs: readonly (readonly [number, number])[]): void {
  const buffer = out.frame(frameType.settings, 0, 0, pairs.length * 6)
  for (const [id, value] of pairs) {
    buffer[out.length] = id >>> 8
    buffer[out.length + 1] = id
    out.length += 2
    out.uint32(value)
  }
}

export function writeSettingsAck(out: Output): void {
  out.frame(frameType.settings, flag.ack, 0, 0)
}

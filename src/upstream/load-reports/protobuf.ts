import type { LoadReport } from '#algorithms/balance/balancer.ts'
import { assignMetric } from './metrics.ts'

/** Numbers of the fields of xds.data.orca.v3.OrcaLoadReport that are plain doubles. */
const doubles: Readonly<Record<number, string>> = {
  1: 'cpu_utilization',
  6: 'rps_fractional',
  7: 'eps',
  9: 'application_utilization',
}
/** The map of named metrics: entries of a key (1) and a double (2). */
const namedMetrics = 8

const varint = 0
const fixed64 = 1
const delimited = 2
const fixed32 = 5

/** Where a reader stands in a message; -1 at the end of what cannot be read. */
interface Cursor {
  at: number
}

/** Reads base64 (with or without padding) of an OrcaLoadReport. False: it is none. */
export function readBinaryReport(base64: string, report: LoadReport): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return false
  const bytes = Buffer.from(base64, 'base64')
  return readMessage(bytes, (field, type, start, end) => {
    if (field === namedMetrics && type === delimited) {
      return readEntry(bytes.subarray(start, end), report)
    }
    const name = type === fixed64 ? doubles[field] : undefined
    return name === undefined || assignMetric(report, name, bytes.readDoubleLE(start))
  })
}

function readEntry(bytes: Buffer, report: LoadReport): boolean {
  let name = ''
  let value = 0
  const whole = readMessage(bytes, (field, type, start, end) => {
    if (field === 1 && type === delimited) name = bytes.toString('utf8', start, end)
    if (field === 2 && type === fixed64) value = bytes.readDoubleLE(start)
    return true
  })
  return whole && assignMetric(report, `named_metrics.${name}`, value)
}

/** Calls `visit` with the place of every field's value until it says false. False: malformed. */
function readMessage(
  bytes: Buffer,
  visit: (field: number, type: number, start: number, end: number) => boolean,
): boolean {
  const cursor: Cursor = { at: 0 }
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor)
    if (cursor.at < 0) return false
    const type = tag & 7
    const length = lengthOf(bytes, type, cursor)
    const start = cursor.at
    const end = start + length
    if (start < 0 || length < 0 || end > bytes.length) return false
    if (!visit(tag >>> 3, type, start, end)) return false
    cursor.at = end
  }
  return true
}

/** Bytes of the value at the cursor; -1: a wire type that nobody sends any more. */
function lengthOf(bytes: Buffer, type: number, cursor: Cursor): number {
  if (type === fixed64) return 8
  if (type === fixed32) return 4
  if (type === delimited) return readVarint(bytes, cursor)
  if (type !== varint) return -1
  const start = cursor.at
  readVarint(bytes, cursor)
  const end = cursor.at
  if (end < 0) return -1
  cursor.at = start
  return end - start
}

/** More than any tag or length here can be. */
const tooLarge = 0x7fffffff

/** A varint of up to 28 bits, and `tooLarge` for greater ones. */
function readVarint(bytes: Buffer, cursor: Cursor): number {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[cursor.at + i]
    if (byte === undefined) break
    if (i < 4) value |= (byte & 0x7f) << (7 * i)
    else if ((byte & 0x7f) > 0) value = tooLarge
    if (byte < 0x80) {
      cursor.at += i + 1
      return value
    }
  }
  cursor.at = -1
  return -1
}

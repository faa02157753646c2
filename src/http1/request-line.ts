import { CR, LF, SPACE, hexValue, nameClass, plainTargetByte, targetClass } from './characters.ts'
import { incomplete, refused } from './field-scanner.ts'
import type { Refusal } from './refusals.ts'

/**
 * Reads a request line (RFC 9112 3): exactly `method SP target SP HTTP/1.x CRLF`, positions only. A
 * target may have no fragment and, before the query, no broken percent escape; in the query nginx
 * and browsers leave a lone `%` alone, and so do we.
 */
export class RequestLine {
  methodEnd = 0
  targetStart = 0
  targetEnd = 0
  /** 10 or 11. */
  version = 11
  refusal: Refusal = 'malformed-request-line'

  /** Returns the position behind the line, `incomplete` or `refused`. */
  read(buffer: Buffer, start: number, end: number): number {
    this.refusal = 'malformed-request-line'
    let at = start
    while (at < end && nameClass[buffer[at] as number] !== 0) at++
    if (at >= end) return incomplete
    if (buffer[at] !== SPACE || at === start) return refused
    this.methodEnd = at
    this.targetStart = at + 1
    at = this.#skipTarget(buffer, at + 1, end)
    if (at < 0) return at
    this.targetEnd = at
    return this.#readVersion(buffer, at, end)
  }

  #skipTarget(buffer: Buffer, from: number, end: number): number {
    let at = skipPlain(buffer, from, end)
    let inQuery = false
    while (at < end && targetClass[buffer[at] as number] !== 0) {
      if (buffer[at] === QUESTION) inQuery = true
      const escape = inQuery ? 0 : escapeAt(buffer, at, end)
      if (escape < 0) return this.#refuseTarget(escape)
      at = skipPlain(buffer, at + 1, end)
    }
    if (at >= end) return incomplete
    if (at === from || buffer[at] === CR || buffer[at] === LF) return refused
    return buffer[at] === SPACE ? at : this.#refuseTarget(refused)
  }

  #refuseTarget(result: number): number {
    if (result === refused) this.refusal = 'malformed-target'
    return result
  }

  /** ` HTTP/1.1` CRLF and its like. Minor versions above 1 mean 1.1 to us (RFC 9110 2.5). */
  #readVersion(buffer: Buffer, at: number, end: number): number {
    for (let i = 0; i < versionForm.length; i++) {
      if (at + i >= end) return incomplete
      const byte = buffer[at + i] as number
      const form = versionForm[i] as number
      if (form === digitForm ? !isDigit(byte) : byte !== form) return refused
    }
    if (buffer[at + majorOffset] !== 0x31) {
      this.refusal = 'unsupported-version'
      return refused
    }
    this.version = buffer[at + minorOffset] === 0x30 ? 10 : 11
    return at + versionForm.length
  }
}

const QUESTION = 0x3f
const digitForm = 0
const versionForm = Uint8Array.from(' HTTP/0.0\r\n', (letter) =>
  letter === '0' ? digitForm : letter.charCodeAt(0),
)
const majorOffset = 6
const minorOffset = 8

function skipPlain(buffer: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && targetClass[buffer[at] as number] === plainTargetByte) at++
  return at
}

/** 0 for a whole percent escape. */
function escapeAt(buffer: Buffer, at: number, end: number): number {
  for (let i = at + 1; i <= at + 2; i++) {
    if (i >= end) return incomplete
    if ((hexValue[buffer[i] as number] as number) < 0) return refused
  }
  return 0
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

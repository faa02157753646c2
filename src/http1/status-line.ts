import { CR, SPACE, valueClass } from './characters.ts'
import { incomplete, lineFeedAt, refused } from './field-scanner.ts'

/**
 * Reads a status line (RFC 9112 4): `HTTP/1.x SP 3DIGIT SP reason CRLF`, positions only. The space
 * before an absent reason may be missing too, as many servers have it.
 */
export class StatusLine {
  /** 10 or 11. */
  version = 11
  status = 0
  reasonStart = 0
  reasonEnd = 0

  /** Returns the position behind the line, `incomplete` or `refused`. */
  read(buffer: Buffer, start: number, end: number): number {
    for (let i = 0; i < lineForm.length; i++) {
      if (start + i >= end) return incomplete
      const byte = buffer[start + i] as number
      const form = lineForm[i] as number
      if (form === digitForm ? byte < 0x30 || byte > 0x39 : byte !== form) return refused
    }
    const at = start + lineForm.length
    this.version = buffer[start + 7] === 0x30 ? 10 : 11
    this.status =
      digitAt(buffer, at - 3) * 100 + digitAt(buffer, at - 2) * 10 + digitAt(buffer, at - 1)
    if (this.status < 100) return refused
    return this.#readReason(buffer, at, end)
  }

  #readReason(buffer: Buffer, from: number, end: number): number {
    let at = from
    if (at >= end) return incomplete
    if (buffer[at] === SPACE) at++
    else if (buffer[at] !== CR) return refused
    this.reasonStart = at
    while (at < end && valueClass[buffer[at] as number] === 1) at++
    this.reasonEnd = at
    if (at >= end) return incomplete
    return buffer[at] === CR ? lineFeedAt(buffer, at + 1, end) : refused
  }
}

const digitForm = 0
const lineForm = Uint8Array.from('HTTP/1.0 000', (letter) =>
  letter === '0' ? digitForm : letter.charCodeAt(0),
)

function digitAt(buffer: Buffer, at: number): number {
  return (buffer[at] as number) - 0x30
}

import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { diagnosticCodes } from '#src/annotations/diagnostics.ts'

/** What an Event says. */
export interface Verdict {
  readonly type: 'Normal' | 'Warning'
  /** One word in capitals, e.g. RouteConflict. */
  readonly reason: string
  /** At most 1024 bytes of plain text. */
  readonly note: string
}

/** The API server's bound for a note. */
const noteBytesMax = 1024

export const accepted: Verdict = {
  type: 'Normal',
  reason: 'Accepted',
  note: 'in force as written',
}

/** The Event for a finding; undefined for what nobody needs to act upon. */
export function verdictOf({ severity, code, field, message }: Diagnostic): Verdict | undefined {
  if (severity === 'info') return undefined
  const reason = code
    .split('-')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
  const place = field === '' ? '' : `${field}: `
  const { effect } = diagnosticCodes[code]
  const room = noteBytesMax - Buffer.byteLength(effect) - 2
  return { type: 'Warning', reason, note: `${clip(plain(place + message), room)}. ${effect}` }
}

/** Control characters would break the lines of those who read it. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}

/** At most so many bytes of UTF-8, whole characters. */
function clip(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text
  const mark = '…'
  const cut = Buffer.from(text, 'utf8').subarray(0, bytesMax - Buffer.byteLength(mark))
  return cut.toString('utf8').replace(/\uFFFD+$/u, '') + mark
}

import { knownFields } from '#src/exchange/known-fields.ts'
import type { FieldId } from '#src/exchange/known-fields.ts'

/**
 * Recognises known field names by their bytes, without making a string. Length and last byte but
 * one lead to the few candidates (mostly one); then the bytes are compared.
 */
const candidateOf = new Uint8Array(1024)
/** The next candidate with the same key; 0 ends the list. */
const nextCandidate = new Uint8Array(knownFields.length)
const nameBytes = knownFields.map((name) => Uint8Array.from(name, (letter) => letter.charCodeAt(0)))

for (const [id, bytes] of nameBytes.entries()) {
  if (bytes.length < 2) continue
  const key = keyOf(bytes, 0, bytes.length)
  nextCandidate[id] = candidateOf[key] as number
  candidateOf[key] = id
}

/**
 * The number of the name in these bytes, in any case; 0 when it is not a known one. Every byte must
 * be a token character.
 */
export function knownNameAt(buffer: Uint8Array, start: number, end: number): FieldId {
  if (end - start < 2 || end - start > 31) return 0
  let id = candidateOf[keyOf(buffer, start, end)] as number
  while (id > 0 && !equalsAt(nameBytes[id] as Uint8Array, buffer, start, end)) {
    id = nextCandidate[id] as number
  }
  return id
}

function keyOf(bytes: Uint8Array, start: number, end: number): number {
  return ((end - start) << 5) | ((bytes[end - 2] as number) & 31)
}

function equalsAt(name: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  // Among token characters, setting this bit joins upper and lower case and nothing else.
  for (let i = 0; i < name.length; i++) {
    if (((buffer[start + i] as number) | 0x20) !== name[i]) return false
  }
  return true
}

import type { Fields } from '#src/exchange/fields.ts'
import { isMisplacedTrailer } from '#src/exchange/trailer-names.ts'
import { FieldScanner } from './field-scanner.ts'
import type { NameRules } from './field-scanner.ts'
import type { HeadBuffer } from './head-buffer.ts'

/** More trailer fields than this are refused. */
const fieldsMax = 100

const scanner = new FieldScanner()
scanner.fieldsMax = fieldsMax

/**
 * Reads a trailer section, up to its empty line, as strictly as a head, and leaves out the fields
 * that may not be there. Returns the position behind it, or a negative result of the scanner.
 */
export function readTrailers(
  section: HeadBuffer,
  fields: Fields,
  rules: NameRules | undefined,
): number {
  scanner.rules = rules
  const position = scanner.scan(section.bytes, 0, section.length, fields)
  if (position < 0) return position
  fields.text = section.bytes.latin1Slice(0, position)
  for (let i = 0; i < fields.size; i++) {
    if (fields.idAt(i) > 0 || isMisplacedTrailer(fields.nameAt(i).toLowerCase())) fields.removeAt(i)
  }
  return position
}

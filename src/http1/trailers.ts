import type { Fields } from '#src/exchange/fields.ts'
import { FieldScanner } from './field-scanner.ts'
import type { NameRules } from './field-scanner.ts'
import type { HeadBuffer } from './head-buffer.ts'

/** More trailer fields than this are refused. */
const fieldsMax = 100

/**
 * Fields that may not come behind the body (RFC 9110 6.5.1), besides all that the proxy acts on:
 * what says how to read the content, who may have it, or what to do with the message.
 */
const misplaced = new Set([
  'age',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'expires',
  'forwarded',
  'pragma',
  'proxy-authenticate',
  'range',
  'retry-after',
  'vary',
  'via',
  'www-authenticate',
])
const misplacedPrefixes = ['if-', 'x-forwarded-', 'x-original-']

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
    if (fields.idAt(i) > 0 || isMisplaced(fields.nameAt(i).toLowerCase())) fields.removeAt(i)
  }
  return position
}

function isMisplaced(name: string): boolean {
  return misplaced.has(name) || misplacedPrefixes.some((prefix) => name.startsWith(prefix))
}

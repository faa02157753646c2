const slash = 0x2f
const dot = 0x2e
const percent = 0x25
const question = 0x3f
const hash = 0x23

/**
 * The one form of a path that routes and access decisions are matched against: the path of an
 * origin-form request target, as nginx normalises it. Undefined: the target is malformed (400).
 *
 * The query (and a fragment) is cut off; every escape is decoded once, `%2F` included; then runs of
 * slashes become one and dot segments are resolved. Malformed are a target that does not start with
 * a slash, an escape that is none, `%00`, and a path that climbs above the root. Bytes are one
 * character each, as the codec delivers them. A path that is canonical already costs one scan.
 *
 * Two steps of RFC 3986 differ on purpose: 6.2.2.2 decodes unreserved characters only, and 5.2.4
 * keeps empty segments.
 */
export function canonicalPath(target: string): string | undefined {
  if (target.charCodeAt(0) !== slash) return undefined
  const { length } = target
  let previous = slash
  for (let at = 1; at < length; at++) {
    const unit = target.charCodeAt(at)
    if (unit <= question) {
      if (unit === question || unit === hash) return target.slice(0, at)
      if (unit === percent) return resolve(target)
      if (previous === slash && (unit === slash || unit === dot)) return resolve(target)
    }
    previous = unit
  }
  return target
}

/**
 * Whether a server that reads escaped slashes, dots or backslashes otherwise than
 * {@link canonicalPath} would see another path: the target holds `%2F`, a backslash (bare or as
 * `%5C`), or a dot segment written with `%2E`. An escaped dot within a name changes nothing.
 */
export function differsUnderEncoding(target: string): boolean {
  const end = target.search(/[?#]/)
  const path = end < 0 ? target : target.slice(0, end)
  if (!path.includes('%') && !path.includes('\\')) return false
  return hidden.test(path)
}

/** An escaped slash, a backslash, or a dot segment with an escaped dot in it. */
const hidden = /%2f|%5c|\\|\/(?:%2e|%2e\.|\.%2e|%2e%2e)(?:\/|$)/i

/**
 * A path that a user wrote, in the form of canonical paths: characters beyond ASCII become the bytes
 * of their UTF-8 encoding, one character each.
 */
export function pathBytes(text: string): string {
  // oxlint-disable-next-line no-control-regex -- everything but ASCII is meant
  if (/^[\0-\x7f]*$/.test(text)) return text
  return textOf(new TextEncoder().encode(text))
}

/** Decodes and resolves in one pass. `units` holds complete segments up to `start`. */
function resolve(target: string): string | undefined {
  const units = new Uint16Array(target.length)
  units[0] = slash
  let start = 1
  let length = 1
  for (let at = 1; at < target.length; at++) {
    let unit = target.charCodeAt(at)
    if (unit === question || unit === hash) break
    if (unit === percent) {
      unit = byteAt(target, at + 1)
      if (unit <= 0) return undefined
      at += 2
    }
    if (unit !== slash) {
      units[length++] = unit
      continue
    }
    const closed = withoutDotSegment(units, start, length)
    if (closed < 0) return undefined
    if (closed === length && length > start) units[length++] = slash
    else length = closed
    start = length
  }
  length = withoutDotSegment(units, start, length)
  return length < 0 ? undefined : textOf(units.subarray(0, length))
}

/**
 * The length of the path once its last segment, from `start` to `end`, is resolved if it is a dot
 * segment; -1: it climbs above the root.
 */
function withoutDotSegment(units: Uint16Array, start: number, end: number): number {
  const size = end - start
  if (size === 0 || size > 2 || units[start] !== dot || units[end - 1] !== dot) return end
  if (size === 1) return start
  return start === 1 ? -1 : units.lastIndexOf(slash, start - 2) + 1
}

/** The byte that two hexadecimal digits name; -1: they are none. */
function byteAt(target: string, at: number): number {
  const high = hexDigit(target.charCodeAt(at))
  const low = hexDigit(target.charCodeAt(at + 1))
  return high < 0 || low < 0 ? -1 : (high << 4) | low
}

function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  const letter = unit | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** In pieces, because a call takes a bounded number of arguments. */
function textOf(units: Uint16Array | Uint8Array): string {
  let text = ''
  for (let at = 0; at < units.length; at += 4096) {
    const piece = units.subarray(at, at + 4096) as unknown as number[]
    // Spreading goes through an iterator, which is ten times slower.
    // oxlint-disable-next-line prefer-spread, unicorn/prefer-spread -- see above
    text += String.fromCharCode.apply(undefined, piece)
  }
  return text
}

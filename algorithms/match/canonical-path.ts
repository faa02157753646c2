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
  return textOf([...new TextEncoder().encode(text)])
}

/** Decodes and resolves in one pass. `units` holds complete segments up to `start`. */
function resolve(target: string): string | undefined {
  const units = [slash]
  let start = 1
  for (let at = 1; at < target.length; at++) {
    let unit = target.charCodeAt(at)
    if (unit === question || unit === hash) break
    if (unit === percent) {
      unit = byteAt(target, at + 1)
      if (unit <= 0) return undefined
      at += 2
    }
    if (unit !== slash) {
      units.push(unit)
      continue
    }
    if (!closeSegment(units, start)) return undefined
    // Where the segment is gone, or empty, the slash before it is there already.
    if (units.at(-1) !== slash) units.push(slash)
    start = units.length
  }
  return closeSegment(units, start) ? textOf(units) : undefined
}

/**
 * Takes the last segment, from `start` on, away if it is a dot segment, and with `..` the one before
 * it. False: that climbs above the root.
 */
function closeSegment(units: number[], start: number): boolean {
  const size = units.length - start
  if (size === 0 || size > 2 || units[start] !== dot || units.at(-1) !== dot) return true
  if (size === 1) units.length = start
  else if (start === 1) return false
  else units.length = units.lastIndexOf(slash, start - 2) + 1
  return true
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
function textOf(units: number[]): string {
  let text = ''
  for (let at = 0; at < units.length; at += 4096) {
    const piece = units.length <= 4096 ? units : units.slice(at, at + 4096)
    // oxlint-disable-next-line prefer-spread, unicorn/prefer-spread -- goes through no iterator
    text += String.fromCharCode.apply(undefined, piece)
  }
  return text
}

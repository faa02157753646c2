/** Beside controls and what is beyond ASCII. */
const inPaths = bytesOf(' "#%<>?\\^`{|}')
const inArguments = bytesOf(' "#%&+;<>?\\^`{|}')

function bytesOf(text: string): ReadonlySet<number> {
  return new Set(Buffer.from(text, 'latin1'))
}

/** Bytes of a decoded path as they may stand in a target (nginx's NGX_ESCAPE_URI). */
export function escapePath(text: string): string {
  return escapeAll(text, inPaths)
}

/**
 * What makes a part of a path one of an argument (NGX_ESCAPE_ARGS). As in nginx that leaves it alone where
 * nothing was escaped in the path that the client sent.
 */
export function argumentEscape(sentTarget: string): (text: string) => string {
  const mark = sentTarget.indexOf('?')
  const path = mark < 0 ? sentTarget : sentTarget.slice(0, mark)
  return path.includes('%') || path.includes('+') ? (text) => escapeAll(text, inArguments) : same
}

function same(text: string): string {
  return text
}

function escapeAll(text: string, special: ReadonlySet<number>): string {
  let escaped = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const plain = unit > 0x20 && unit < 0x7f && !special.has(unit)
    escaped += plain ? text[at] : `%${(unit & 0xff).toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}

/** The path of a target, each escape decoded once; what is no escape stays. Bytes, one character each. */
export function unescapePath(target: string): string {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  if (!path.includes('%')) return path
  return path.replace(/%([\da-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
}

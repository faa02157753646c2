/** Bytes of a decoded path as they may stand in a target (nginx's NGX_ESCAPE_URI). */
export function escapePath(text: string): string {
  return escapeWhere(text, (unit) => unit === 0x23 || unit === 0x25 || unit === 0x3f)
}

/** Bytes as they may stand in an argument (NGX_ESCAPE_ARGS). */
export function escapeArgument(text: string): string {
  return escapeWhere(
    text,
    (unit) => unit === 0x23 || unit === 0x25 || unit === 0x26 || unit === 0x2b || unit === 0x3f,
  )
}

function escapeWhere(text: string, special: (unit: number) => boolean): string {
  let escaped = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const plain = unit > 0x20 && unit < 0x7f && !special(unit)
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

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

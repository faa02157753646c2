/**
 * A text as it may stand in a field or a target: controls, which could begin another line, and what is no
 * byte are escaped as `%XX`. Nearly always there are none.
 */
export function fieldText(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (isControl(text.charCodeAt(at))) return escapeControls(text)
  }
  return text
}

function isControl(unit: number): boolean {
  return (unit < 0x20 && unit !== 0x09) || unit === 0x7f || unit > 0xff
}

function escapeControls(text: string): string {
  let escaped = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    escaped += isControl(unit)
      ? `%${(unit & 0xff).toString(16).toUpperCase().padStart(2, '0')}`
      : text[at]
  }
  return escaped
}

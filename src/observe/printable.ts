/**
 * Text for a terminal: control characters, but for line ends and tabs, as JSON escapes them. What a
 * manifest, a cluster or a client says is read there, and not acted on.
 */
export function printable(text: string): string {
  return text.replaceAll(control, escaped)
}

/** The same for what must stay on one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll(/[\t\n]/g, escaped)
}

// oxlint-disable-next-line no-control-regex -- controls are what is looked for
const control = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g

function escaped(one: string): string {
  return `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
}

/** Three digits of each number below 1000. */
const threeDigits = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'))
/** The same behind a zero and a point: most times are below a second. */
const fractions = threeDigits.map((digits) => `0.${digits}`)

/** A number of thousandths, at least 0, with three decimals. By table, as the engine's own way takes long. */
function decimal(thousandths: number): string {
  if (thousandths < 1000) return fractions[thousandths] as string
  const whole = Math.floor(thousandths / 1000)
  return `${whole}.${threeDigits[thousandths - whole * 1000]}`
}

/** Milliseconds to the microsecond. */
export function milliseconds(ms: number): string {
  return ms > 0 ? decimal(Math.round(ms * 1000)) : '0.000'
}

/** Milliseconds as seconds with three places, as nginx writes times. */
export function seconds(ms: number): string {
  return ms > 0 ? decimal(Math.round(ms)) : '0.000'
}

/** A text of each second, made once for all lines of that second. */
export function oncePerSecond(make: (date: Date) => string): (ms: number) => string {
  let second = -1
  let text = ''
  return (ms) => {
    const own = Math.floor(ms / 1000)
    if (own !== second) {
      second = own
      text = make(new Date(ms))
    }
    return text
  }
}

const isoSecond = oncePerSecond((date) => date.toISOString().slice(0, -'000Z'.length))

/** The time to the millisecond, of whole milliseconds. */
export function isoTime(ms: number): string {
  return `${isoSecond(ms)}${threeDigits[ms % 1000]}Z`
}

/** Beyond this the engine's own search is the quicker one, as long texts are mostly parts of others. */
const loopedLengthMax = 16
const unplain = /[^ !#-[\]-~]/

/** Whether a latin1 text may stand between quotes as it is: printable ASCII without quote and backslash. */
export function isPlain(text: string): boolean {
  if (text.length > loopedLengthMax) return !unplain.test(text)
  for (let i = 0; i < text.length; i++) if (!isPlainUnit(text.charCodeAt(i))) return false
  return true
}

/** The same of one character. */
export function isPlainUnit(unit: number): boolean {
  return unit >= 0x20 && unit <= 0x7e && unit !== 0x22 && unit !== 0x5c
}

/** What JSON escapes by one letter, and nginx too. */
const short: Readonly<Record<number, string>> = {
  0x08: 'b',
  0x09: 't',
  0x0a: 'n',
  0x0c: 'f',
  0x0d: 'r',
  0x22: '"',
  0x5c: '\\',
}

/** A latin1 text as what stands between the quotes of a JSON string, in ASCII. */
export function inQuotes(text: string): string {
  return isPlain(text) ? text : escaped(text)
}

/** The same with its quotes. */
export function quoted(text: string): string {
  return `"${inQuotes(text)}"`
}

function escaped(text: string): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (isPlainUnit(unit)) out += text[i]
    else if (unit in short) out += `\\${short[unit]}`
    else out += `\\u${unit.toString(16).padStart(4, '0')}`
  }
  return out
}

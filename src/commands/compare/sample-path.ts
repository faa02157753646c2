/**
 * A path that a regular expression matches, for patterns as stand in Ingresses: literals, groups,
 * alternatives, classes and repetition. Each choice is the first, each repetition the least that is
 * not nothing. What it cannot read it leaves out, so the result may fail to match: the caller asks for
 * it as for any other path.
 */
export function samplePath(pattern: string): string {
  const reader = { pattern, at: 0, depth: 0 }
  const sample = readAlternatives(reader)
  return sample.startsWith('/') ? sample : `/${sample}`
}

interface PatternReader {
  readonly pattern: string
  at: number
  depth: number
}

/** Groups within groups that are followed. */
const depthMax = 20
/** Characters that one repetition may add. */
const repeatMax = 16

function readAlternatives(reader: PatternReader): string {
  let first: string | undefined
  for (;;) {
    const branch = readBranch(reader)
    first ??= branch
    // An alternative that is empty shows less than its neighbour.
    if (first === '' || first === '/') first = branch.length > first.length ? branch : first
    if (reader.pattern[reader.at] !== '|') return first
    reader.at++
  }
}

function readBranch(reader: PatternReader): string {
  let text = ''
  while (reader.at < reader.pattern.length) {
    const next = reader.pattern[reader.at]
    if (next === '|' || (next === ')' && reader.depth > 0)) return text
    text += readRepeated(reader)
  }
  return text
}

function readRepeated(reader: PatternReader): string {
  const atom = readAtom(reader)
  const rest = reader.pattern.slice(reader.at, reader.at + 16)
  const [whole = '', least] = /^(?:[*+?]|\{(\d{1,4})(?:,\d{0,4})?\})[?+]?/.exec(rest) ?? []
  reader.at += whole.length
  const times = least === undefined ? 1 : Math.min(Number(least), repeatMax)
  return atom.repeat(times)
}

function readAtom(reader: PatternReader): string {
  const { pattern } = reader
  const next = pattern[reader.at++] ?? ''
  if (next === '(') return readGroup(reader)
  if (next === '[') return readClass(reader)
  if (next === '\\') return escaped(pattern[reader.at++] ?? '')
  if (next === '^' || next === '$' || next === ')') return ''
  return next === '.' ? 'x' : next
}

function readGroup(reader: PatternReader): string {
  const [opening = ''] =
    /^\?(?:[:!=]|<[=!]|P?<\w+>|[a-z]+\)|[a-z]*:)/.exec(reader.pattern.slice(reader.at)) ?? []
  reader.at += opening.length
  if (opening.endsWith(')')) return ''
  if (++reader.depth > depthMax) reader.at = reader.pattern.length
  const inside = readAlternatives(reader)
  reader.depth--
  if (reader.pattern[reader.at] === ')') reader.at++
  // What a lookaround sees is no part of what is matched.
  return /^\?<?[=!]$/.test(opening) ? '' : inside
}

const classSamples: Readonly<Record<string, string>> = {
  d: '1',
  w: 'a',
  s: '%20',
  D: 'a',
  W: '-',
  S: 'a',
}

function escaped(letter: string): string {
  return classSamples[letter] ?? (/[bBAzZ]/.test(letter) ? '' : letter)
}

function readClass(reader: PatternReader): string {
  const { pattern } = reader
  const end = pattern.indexOf(']', reader.at + (pattern[reader.at] === '^' ? 2 : 1))
  const inside = pattern.slice(reader.at, end < 0 ? pattern.length : end)
  reader.at = end < 0 ? pattern.length : end + 1
  if (inside.startsWith('^')) return ['x', '1', '-'].find((c) => !inside.includes(c)) ?? ''
  return inside.startsWith('\\') ? escaped(inside[1] ?? '') : (inside[0] ?? '')
}

import fc from 'fast-check'

/** A valid request with the text it may be sent as. */
export interface SampleRequest {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
  readonly chunked: boolean
  readonly text: string
}

function textOf(characters: string, minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters.split('')), minLength, maxLength })
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const unreserved = `${letters}0123456789-._~`
const visible = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join('')

const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND')
const pathPart = fc.oneof(
  textOf(`${unreserved}/!$&'()*+,;=:@`, 0, 12),
  fc.constantFrom('%41', '%2F', '%2e%2e', '//', '%25'),
)
const query = textOf(`${unreserved}/?%|^{}"<>\`[]`, 0, 12)
const target = fc
  .tuple(fc.array(pathPart, { maxLength: 4 }), fc.option(query, { nil: undefined }))
  .map(([parts, last]) => `/${parts.join('')}${last === undefined ? '' : `?${last}`}`)

/** Names that nobody acts on. */
const name = textOf(`${letters}0123456789-`, 1, 10).map((rest) => `X-Z${rest}`)
const word = textOf(`${visible}\u00e9\u00ff`, 1, 10)
const value = fc.array(word, { maxLength: 4 }).map((words) => words.join(' '))
const fields = fc.array(fc.tuple(name, value), { maxLength: 8 })
const blank = fc.constantFrom('', ' ', '\t', '  ')
const chunks = fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }), {
  maxLength: 5,
})

function linesOf(pairs: readonly (readonly [string, string])[], blanks: readonly string[]): string {
  return pairs
    .map(([field, text], i) => `${field}:${blanks[i] ?? ' '}${text}${blanks[i + 1] ?? ''}\r\n`)
    .join('')
}

export const sampleRequest: fc.Arbitrary<SampleRequest> = fc
  .record({
    method,
    target,
    fields,
    chunks,
    trailers: fc.array(fc.tuple(name, value), { maxLength: 3 }),
    framing: fc.constantFrom('none', 'length', 'chunked'),
    extension: fc.constantFrom('', ';a', ';a="b c"'),
    blanks: fc.array(blank, { minLength: 12, maxLength: 12 }),
    hostAt: fc.nat(8),
  })
  .map((parts) => {
    const { chunks: pieces, framing, extension, blanks } = parts
    const body = framing === 'none' ? '' : pieces.join('')
    const chunked = framing === 'chunked'
    const lines: [string, string][] = parts.fields.map(([field, text]) => [field, text])
    lines.splice(parts.hostAt, 0, ['Host', 'a.test'])
    if (framing === 'length') lines.push(['Content-Length', String(body.length)])
    if (chunked) lines.push(['Transfer-Encoding', 'chunked'])
    const trailers = chunked ? parts.trailers : []
    const coded = pieces.map((piece) => `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`)
    const sent = chunked ? `${coded.join('')}0\r\n${linesOf(trailers, blanks)}\r\n` : body
    const head = `${parts.method} ${parts.target} HTTP/1.1\r\n${linesOf(lines, blanks)}\r\n`
    const text = head + sent
    const { method: verb, target: path } = parts
    return { method: verb, target: path, fields: parts.fields, body, chunked, trailers, text }
  })

/** A valid response, interim ones before it among them, as text. */
export const sampleResponse: fc.Arbitrary<string> = fc
  .tuple(
    sampleRequest,
    fc.constantFrom('200 OK', '204 No Content', '304 Not Modified', '404 ', '500 X', '299'),
    fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Y\r\nLink: x\r\n\r\n'),
  )
  .map(([{ text }, status, interim]) => {
    const response = text.replace(/^\S+ \S+ HTTP\/1.1/, `HTTP/1.1 ${status}`)
    return interim + response.replace(/Host:[ \t]*a\.test/, 'X-A: a')
  })

/** Where to cut a text: sizes of the pieces, over and over. */
export const pieceSizes: fc.Arbitrary<readonly number[]> = fc.array(
  fc.integer({ min: 1, max: 60 }),
  {
    minLength: 1,
    maxLength: 8,
  },
)

export function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length] as number
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return pieces
}

/** One damage to a text, of the kinds that parsers disagree about. */
export const damage: fc.Arbitrary<(text: string) => string> = fc
  .tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom('insert', 'remove', 'replace', 'repeat'),
    fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      '\r\n\r\n',
      ' ',
      '\t',
      ':',
      '\u0000',
      '\u007f',
      '\u00ff',
      ';',
      ',',
      '%',
      '#',
      '0',
      '5',
      'Content-Length: 3\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Host: b.test\r\n',
      'Transfer-Encoding : chunked\r\n',
      'Connection: close\r\n',
      'Expect: 100-continue\r\n',

      'Connection: Host, Content-Length\r\n',
      ' folded\r\n',
      'GET /evil HTTP/1.1\r\n',
      '0\r\n\r\n',
    ),
    fc.nat(12),
  )
  .map(([place, kind, piece, size]) => (text) => {
    const at = Math.floor(place * text.length)
    const before = text.slice(0, at)
    const after = text.slice(at)
    if (kind === 'insert') return before + piece + after
    if (kind === 'remove') return before + after.slice(size)
    if (kind === 'replace') return before + piece + after.slice(piece.length)
    return before + after.slice(0, size) + after
  })

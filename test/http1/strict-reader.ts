/**
 * A second reading of RFC 9112, made for judging and sharing no code with the product: regular
 * expressions over latin1 text, nothing tolerated, nothing incremental.
 */

export interface Message {
  /** `GET /x HTTP/1.1`, or `HTTP/1.1 200 OK`. */
  readonly startLine: string
  /** Lower-case name and value, in order. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
  /** How the body ended: by its framing, with the connection, or not at all. */
  readonly end: 'framed' | 'closed' | 'cut'
}

export interface Reading {
  readonly messages: readonly Message[]
  /** What is wrong with the bytes, '' for nothing. */
  readonly fault: string
  /** Bytes behind the last whole message. */
  readonly rest: string
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const requestLine = new RegExp(String.raw`^${token} (/[!-~]*|\*|https?://[!-~]+) HTTP/1\.[01]$`)
const statusLine = /^HTTP\/1\.[01] [1-9]\d\d [\t -~\u0080-\u00ff]*$/
const fieldLine = new RegExp(String.raw`^(${token}):[ \t]*(.*?)[ \t]*$`, 's')
const fieldValue = /^[\t -~\u0080-\u00ff]*$/

/** All values of a field. */
export function valuesOf(message: Message, name: string): string[] {
  return message.fields.filter(([field]) => field === name).map(([, value]) => value)
}

/** Its values as one list, or undefined. */
export function valueOf(message: Message, name: string): string | undefined {
  const values = valuesOf(message, name)
  return values.length === 0 ? undefined : values.join(', ')
}

/** The requests in what a client sent. */
export function readRequests(text: string): Reading {
  return readAll(text, (start) => ({ form: requestLine, hasBody: start.framed, closes: false }))
}

/**
 * The responses in what a server sent, interim ones among them. `methods` are those of the
 * requests, in order; `closed`: the server has ended the connection in good order.
 */
export function readResponses(text: string, methods: readonly string[], closed: boolean): Reading {
  let answered = 0
  return readAll(text, ({ line }) => {
    const status = Number(line.slice(9, 12))
    const method = methods[answered]
    if (status >= 200 || status === 101) answered++
    const bodyless = status < 200 || status === 204 || status === 304 || method === 'HEAD'
    return { form: statusLine, hasBody: !bodyless, closes: !bodyless, closed }
  })
}

interface Rules {
  readonly form: RegExp
  readonly hasBody: boolean
  /** Without framing the body lasts to the end. */
  readonly closes: boolean
  readonly closed?: boolean
}

interface Start {
  readonly line: string
  readonly framed: boolean
}

function readAll(text: string, rulesFor: (start: Start) => Rules): Reading {
  const messages: Message[] = []
  let rest = text
  while (rest !== '') {
    const headEnd = rest.indexOf('\r\n\r\n')
    if (headEnd < 0) break
    const [line = '', ...lines] = rest.slice(0, headEnd).split('\r\n')
    const fields = readFields(lines)
    if (typeof fields === 'string') return { messages, fault: fields, rest }
    const framing = framingOf(fields)
    if (typeof framing === 'string' && framing !== 'chunked' && framing !== 'none') {
      return { messages, fault: framing, rest }
    }
    const rules = rulesFor({ line, framed: framing !== 'none' })
    if (!rules.form.test(line)) return { messages, fault: `start line: ${line}`, rest }
    const body = readBody(rest.slice(headEnd + 4), framing, rules)
    if (typeof body === 'string') return { messages, fault: body, rest }
    messages.push({ startLine: line, fields, ...body.part })
    if (body.part.end !== 'framed') return { messages, fault: '', rest: '' }
    ;({ rest } = body)
  }
  return { messages, fault: '', rest }
}

function readFields(lines: readonly string[]): [string, string][] | string {
  const fields: [string, string][] = []
  for (const line of lines) {
    const match = fieldLine.exec(line)
    if (match === null || !fieldValue.test(match[2] ?? '')) return `field line: ${line}`
    fields.push([(match[1] ?? '').toLowerCase(), match[2] ?? ''])
  }
  return fields
}

/** A length, 'chunked', 'none', or what is wrong. */
function framingOf(fields: readonly (readonly [string, string])[]): number | string {
  const lengths = fields.filter(([name]) => name === 'content-length')
  const codings = fields.filter(([name]) => name === 'transfer-encoding')
  if (lengths.length + codings.length > 1) return 'more than one framing field'
  if (codings.length === 1) return codings[0]?.[1] === 'chunked' ? 'chunked' : 'transfer coding'
  if (lengths.length === 0) return 'none'
  const length = lengths[0]?.[1] ?? ''
  return /^\d{1,15}$/.test(length) ? Number(length) : 'content length'
}

interface Body {
  readonly part: Pick<Message, 'body' | 'trailers' | 'end'>
  readonly rest: string
}

function readBody(text: string, framing: number | string, rules: Rules): Body | string {
  if (!rules.hasBody) return { part: { body: '', trailers: [], end: 'framed' }, rest: text }
  if (framing === 'chunked') return readChunks(text)
  if (typeof framing === 'number') {
    const body = text.slice(0, framing)
    const end = body.length === framing ? 'framed' : 'cut'
    return { part: { body, trailers: [], end }, rest: text.slice(framing) }
  }
  if (!rules.closes) return { part: { body: '', trailers: [], end: 'framed' }, rest: text }
  return {
    part: { body: text, trailers: [], end: rules.closed === true ? 'closed' : 'cut' },
    rest: '',
  }
}

function readChunks(text: string): Body | string {
  let body = ''
  let rest = text
  const cut: Body = { part: { body: '', trailers: [], end: 'cut' }, rest: '' }
  for (;;) {
    const lineEnd = rest.indexOf('\r\n')
    if (lineEnd < 0) return { ...cut, part: { ...cut.part, body } }
    const size = rest.slice(0, lineEnd)
    if (!/^[\da-fA-F]{1,13}$/.test(size)) return `chunk size: ${size}`
    rest = rest.slice(lineEnd + 2)
    const bytes = Number.parseInt(size, 16)
    if (bytes === 0) break
    body += rest.slice(0, bytes)
    if (rest.length < bytes + 2) return { ...cut, part: { ...cut.part, body } }
    if (rest.slice(bytes, bytes + 2) !== '\r\n') return 'chunk end'
    rest = rest.slice(bytes + 2)
  }
  if (rest.startsWith('\r\n')) {
    return { part: { body, trailers: [], end: 'framed' }, rest: rest.slice(2) }
  }
  const end = rest.indexOf('\r\n\r\n')
  if (end < 0) return { ...cut, part: { ...cut.part, body } }
  const trailers = readFields(rest.slice(0, end).split('\r\n'))
  if (typeof trailers === 'string') return trailers
  return { part: { body, trailers, end: 'framed' }, rest: rest.slice(end + 4) }
}

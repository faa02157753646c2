import { HeadStart } from '#src/exchange/head-start.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { BodyFraming } from './message-writer.ts'
import { reasonPhrase } from './reason-phrases.ts'
import { sendableTarget } from './request-target.ts'

/** Methods whose requests usually have a body, so that its absence is said (RFC 9110 8.6). */
function expectsBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH'
}

/** How to send a request's body. `ended`: it has none. */
export function requestFraming(head: RequestHead, ended: boolean): BodyFraming {
  if (ended || head.contentLength === 0) return 'none'
  return head.contentLength > 0 ? 'length' : 'chunked'
}

/** A request head as text. `connection`: what is said of the connection, '' for nothing. */
// oxlint-disable-next-line max-params -- once a request: no object for it
export function requestText(
  head: RequestHead,
  framing: BodyFraming,
  version: 10 | 11,
  connection: '' | 'close' | 'keep-alive',
): string {
  const { method, upgrade } = head
  let text =
    version === 11 ? requestStart(head) : `${requestLine(head, '1.0')}${head.fields.toLines()}`
  if (framing === 'length') text += `Content-Length: ${head.contentLength}\r\n`
  else if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  else if (expectsBody(method)) text += 'Content-Length: 0\r\n'
  if (version === 10) return `${text}Connection: close\r\n\r\n`
  if (head.expectContinue && framing !== 'none') text += 'Expect: 100-continue\r\n'
  if (head.acceptsTrailers || upgrade !== '' || connection !== '')
    text += hopLines(head, connection)
  // A template would convert each piece, one that is a string already as well.
  return text + '\r\n'
}

function requestLine({ method, target, authority }: RequestHead, version: '1.0' | '1.1'): string {
  return `${method} ${sendableTarget(target)} HTTP/${version}\r\nHost: ${authority}\r\n`
}

/** Request line, Host and fields. Of a head that was sent before the same way only what was added is written anew. */
function requestStart(head: RequestHead): string {
  const { origin, fields } = head
  const { removedLines } = fields
  if (
    origin === undefined ||
    removedLines < 0 ||
    head.target !== origin.target ||
    head.authority !== origin.authority ||
    head.method !== origin.method
  ) {
    return requestLine(head, '1.1') + fields.toLines()
  }
  let { start } = origin.kept
  if (start?.removedLines !== removedLines) {
    start = new HeadStart(requestLine(head, '1.1'), fields)
    origin.kept.start = start
  }
  return start.textOf(fields) + fields.addedLines()
}

function hopLines({ acceptsTrailers, upgrade }: RequestHead, connection: string): string {
  let text = ''
  const options: string[] = []
  if (connection !== '') options.push(connection)
  if (acceptsTrailers) {
    options.push('TE')
    text += 'TE: trailers\r\n'
  }
  if (upgrade !== '') {
    options.push('Upgrade')
    text += `Upgrade: ${upgrade}\r\n`
  }
  return `Connection: ${options.join(', ')}\r\n${text}`
}

/** Whether responses with this status have a body (RFC 9110 6.4.1), but for answers to HEAD. */
export function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304
}

/**
 * A response head as text. `lines`: framing and connection fields, and Date if it is wanted, each
 * with its CRLF.
 */
export function responseText(head: ResponseHead, lines: string): string {
  const { origin, fields } = head
  const { removedLines } = fields
  if (origin === undefined || removedLines < 0 || head.status !== origin.status) {
    return statusLine(head) + fields.toLines() + lines + '\r\n'
  }
  let { start } = origin
  if (start?.removedLines !== removedLines) {
    start = new HeadStart(statusLine(head), fields)
    origin.start = start
  }
  const added = fields.addedLines()
  if (added === '') return start.wholeOf(fields, lines)
  return start.textOf(fields) + added + lines + '\r\n'
}

function statusLine({ status, reason }: ResponseHead): string {
  if (status === 200 && (reason === 'OK' || reason === '')) return 'HTTP/1.1 200 OK\r\n'
  return `HTTP/1.1 ${status} ${reason === '' ? reasonPhrase(status) : reason}\r\n`
}

/** Methods that a 405 of ours names, since it must name some (RFC 9110 15.5.6). */
const allowLine = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n'

/**
 * A whole answer with a text of ASCII, after which the connection closes. `headOnly`: it answers
 * HEAD.
 */
export function refusalText(
  status: number,
  body: string,
  dateLine: string,
  headOnly: boolean,
): string {
  const allow = status === 405 ? allowLine : ''
  const type = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n`
  const head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${dateLine}${allow}${type}`
  return `${head}Connection: close\r\n\r\n${headOnly ? '' : body}`
}

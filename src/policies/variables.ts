import type { RequestHead } from '#src/exchange/heads.ts'
import { fieldId } from '#src/exchange/known-fields.ts'
import { escapeUri } from './escape-uri.ts'
import { unescapePath } from './path-escapes.ts'
import type { PolicyExchange } from './policy.ts'
import { tlsVariables } from './tls-variables.ts'

/** What variables are read from. */
export type VariableSource = Pick<
  PolicyExchange,
  | 'request'
  | 'peer'
  | 'host'
  | 'path'
  | 'clientAddress'
  | 'scheme'
  | 'publicHost'
  | 'requestId'
  | 'originalTarget'
>

/** The closed set of variables without an argument, named as in nginx. */
const variables: Readonly<Record<string, (source: VariableSource) => string>> = {
  args: ({ request }) => queryOf(request.target),
  query_string: ({ request }) => queryOf(request.target),
  escaped_request_uri: (source) => escapeUri(targetOf(source)),
  best_http_host: ({ publicHost }) => publicHost,
  content_length: ({ request }) => (request.contentLength > 0 ? String(request.contentLength) : ''),
  content_type: ({ request }) => request.fields.getSent('content-type') ?? '',
  document_uri: uriOf,
  host: ({ host }) => host,
  https: ({ peer }) => (peer.scheme === 'https' ? 'on' : ''),
  is_args: ({ request }) => (queryOf(request.target) === '' ? '' : '?'),
  pass_access_scheme: ({ scheme }) => scheme,
  proxy_add_x_forwarded_for({ request, clientAddress }) {
    const sent = request.fields.getSentJoined('x-forwarded-for')
    return sent === undefined ? clientAddress : `${sent}, ${clientAddress}`
  },
  server_protocol: ({ request: { version } }) =>
    version === 20 ? 'HTTP/2.0' : `HTTP/1.${version - 10}`,
  the_real_ip: ({ clientAddress }) => clientAddress,
  http_host: ({ request }) => request.sentAuthority,
  remote_addr: ({ clientAddress }) => clientAddress,
  binary_remote_addr: ({ clientAddress }) => clientAddress,
  remote_user: ({ request }) => visible(userOf(request.fields.getSent('authorization') ?? '')),
  remote_port: ({ peer }) => String(peer.port),
  request_id: ({ requestId }) => requestId,
  req_id: ({ requestId }) => requestId,
  request_method: ({ request }) => request.method,
  request_uri: targetOf,
  // Of the connection, whatever trusted peers say: that is $pass_access_scheme.
  scheme: ({ peer }) => peer.scheme,
  server_addr: ({ peer }) => peer.localAddress,
  server_port: ({ peer }) => String(peer.localPort),
  ...tlsVariables,
  uri: uriOf,
}

/** Whether a name, without the `$`, is a variable that `variableValue` knows. */
export function isVariable(name: string): boolean {
  return Object.hasOwn(variables, name) || /^(?:http|arg|cookie)_[a-z0-9_]+$/i.test(name)
}

/** The value of a variable, '' when the request has none. */
export function variableValue(source: VariableSource, name: string): string {
  const read = variables[name]
  if (read !== undefined) return read(source)
  if (name.startsWith('http_')) return fieldValue(source.request, fieldName(name))
  if (name.startsWith('cookie_')) return cookieValue(source.request, name.slice(7))
  if (name.startsWith('arg_')) return argumentValue(source.request.target, name.slice(4))
  return ''
}

/** What reads this variable, for whoever reads it of many requests. */
export function variableReader(name: string): (source: VariableSource) => string {
  const read = variables[name]
  if (read !== undefined) return read
  if (!name.startsWith('http_')) return (source) => variableValue(source, name)
  const field = fieldName(name)
  const id = fieldId(field)
  const separator = separatorOf(field)
  return ({ request }) => request.fields.getSentJoinedKnown(id, field, separator) ?? ''
}

/** All values of a field that the client sent, as nginx joins them since 1.23. */
function fieldValue({ fields }: RequestHead, name: string): string {
  return fields.getSentJoined(name, separatorOf(name)) ?? ''
}

function separatorOf(field: string): string {
  return field === 'cookie' ? '; ' : ', '
}

/**
 * Decoded text with its control characters escaped: it goes into fields and targets, where a line end
 * of the client's making must not begin a line.
 */
export function visible(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- these are meant
    /[\u0000-\u001f\u007f]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** The path that the request has by now, decoded: rewrites change it, and the query with it. */
function uriOf({ path, originalTarget, request }: VariableSource): string {
  if (originalTarget === '') return visible(path)
  return visible(unescapePath(request.target))
}

/** The target as the client sent it, whatever was rewritten. */
function targetOf({ originalTarget, request }: VariableSource): string {
  return originalTarget || request.target
}

/** The user of basic authentication as sent, whether or not it was checked. */
function userOf(authorization: string): string {
  if (!/^basic /i.test(authorization)) return ''
  const credentials = Buffer.from(authorization.slice(6), 'base64').toString('latin1')
  return credentials.slice(0, Math.max(0, credentials.indexOf(':')))
}

function fieldName(variable: string): string {
  return variable.slice(5).toLowerCase().replaceAll('_', '-')
}

/** What stands behind the question mark. */
export function queryOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? '' : target.slice(mark + 1)
}

/** The first argument of this name, in any case, as sent: not decoded. All as nginx has it. */
export function argumentValue(target: string, name: string): string {
  let at = target.indexOf('?') + 1
  if (at === 0) return ''
  while (at < target.length) {
    let end = target.indexOf('&', at)
    if (end < 0) end = target.length
    if (hasNameAt(target, at, name)) return target.slice(at + name.length + 1, end)
    at = end + 1
  }
  return ''
}

/**
 * The first cookie of this name, in any case, read as nginx reads it: a comma ends a cookie that is not
 * the one, spaces may stand around the `=`, and the value goes on to the semicolon.
 */
export function cookieValue(request: RequestHead, name: string): string {
  const cookies = request.fields.getSentJoined('cookie', '; ')
  if (cookies === undefined) return ''
  let at = 0
  while (at < cookies.length) {
    if (hasTextAt(cookies, at, name)) {
      at = behindSpaces(cookies, at + name.length)
      if (cookies.charCodeAt(at++) === equalsSign) {
        const end = cookies.indexOf(';', at)
        return cookies.slice(behindSpaces(cookies, at), end < 0 ? cookies.length : end)
      }
    }
    while (at < cookies.length && !endsCookie(cookies.charCodeAt(at))) at++
    at = behindSpaces(cookies, at + 1)
  }
  return ''
}

function endsCookie(unit: number): boolean {
  return unit === 0x3b || unit === 0x2c
}

function behindSpaces(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) === 0x20) at++
  return at
}

const equalsSign = 0x3d

/** Whether `name` and then `=` stand at this place. */
function hasNameAt(text: string, at: number, name: string): boolean {
  return text.charCodeAt(at + name.length) === equalsSign && hasTextAt(text, at, name)
}

/** Whether `name` stands at this place, in any case. */
function hasTextAt(text: string, at: number, name: string): boolean {
  return text.slice(at, at + name.length).toLowerCase() === name.toLowerCase()
}

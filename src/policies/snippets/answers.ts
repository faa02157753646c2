import type { ResponseHead } from '#src/exchange/heads.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { fieldMask, forwardingFields } from '#src/exchange/known-fields.ts'
import { CONTINUE } from '#src/policies/policy.ts'
import type { PolicyExchange, Verdict } from '#src/policies/policy.ts'
import type { AddedField, ErrorPage, Expiry, FieldEdit, Scope } from './program.ts'
import { snippetState } from './state.ts'
import { render } from './values.ts'

/** The statuses with which nginx's add_header and expires touch an answer. */
const addable = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308])

/** Fields of which an answer has one; add_header puts any other beside what is there. */
const single = new Set(['last-modified', 'etag', 'content-type', 'location'])

/** The media types to which nginx's charset belongs. */
const charsetTypes = new Set([
  'text/html',
  'text/xml',
  'text/plain',
  'text/vnd.wap.wml',
  'application/javascript',
  'application/rss+xml',
])

/** Applies a scope to the answer at hand. */
export function applyScope(scope: Scope, exchange: PolicyExchange): Verdict {
  const { response } = exchange
  if (response === undefined || response.status < 200) return CONTINUE
  const { fields, status } = response
  const page = pageFor(scope, status, exchange)
  if (page !== undefined) {
    const url = render(page.url, exchange)
    return exchange.reply({ status: page.status, fields: ['Location', url] })
  }
  if (scope.charset !== undefined) addCharset(fields, scope.charset)
  editAnswer(scope.edits, response, exchange)
  const safe = addable.has(status)
  if (scope.expires !== undefined && safe) expire(fields, scope.expires, exchange.wallClock())
  for (const added of scope.added) {
    if (safe || added.always) addField(fields, added, exchange)
  }
  return CONTINUE
}

function editAnswer(
  edits: readonly FieldEdit[],
  { fields, status }: ResponseHead,
  exchange: PolicyExchange,
): void {
  for (const edit of edits) {
    if (concerns(edit, status, fields)) editField(fields, edit, exchange)
  }
}

/** For answers of our own that say nothing themselves. */
function pageFor(
  { errorPages }: Scope,
  status: number,
  exchange: PolicyExchange,
): ErrorPage | undefined {
  if (exchange.upstreamAddress !== '' || snippetState(exchange)?.stands === true) return undefined
  return errorPages.find(({ statuses }) => statuses.includes(status))
}

function addField(fields: Fields, { name, value }: AddedField, exchange: PolicyExchange): void {
  const text = render(value, exchange)
  if (text === '') return
  if (single.has(name.toLowerCase())) fields.set(name, text)
  else fields.append(name, text)
}

/** Who the client says it comes for: what only we may say to upstreams was taken out, and is still to be told. */
const forwarding = fieldMask(...forwardingFields)

/** Applies edits to the fields of the request, before anybody else reads them: to nginx they are the client's. */
export function applyInputEdits(scope: Scope, exchange: PolicyExchange): void {
  const { fields } = exchange.request
  if (scope.inputEdits.length === 0) return
  const before = fields.size
  for (const edit of scope.inputEdits) editField(fields, edit, exchange)
  fields.acceptChanges(before, forwarding)
  // What is known of the head it repeats is not true of this one.
  exchange.request.origin = undefined
}

function concerns({ statuses, types }: FieldEdit, status: number, fields: Fields): boolean {
  if (statuses.length > 0 && !statuses.includes(status)) return false
  return types.length === 0 || types.includes(mediaType(fields))
}

function mediaType(fields: Fields): string {
  const type = fields.get('content-type') ?? ''
  const end = type.indexOf(';')
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase()
}

function editField(
  fields: Fields,
  { name, value, present }: FieldEdit,
  exchange: PolicyExchange,
): void {
  if (name.endsWith('*')) {
    removeBeginning(fields, name.slice(0, -1).toLowerCase())
    return
  }
  if (present && fields.get(name.toLowerCase()) === undefined) return
  const text = render(value, exchange)
  if (text === '') fields.remove(name)
  else fields.set(name, text)
}

/** What begins so goes, but for what frames the message. */
function removeBeginning(fields: Fields, start: string): void {
  for (let i = 0; i < fields.size; i++) {
    if (fields.present(i) && fields.nameAt(i).toLowerCase().startsWith(start)) fields.removeAt(i)
  }
}

const lastDate = 'Thu, 31 Dec 2037 23:55:55 GMT'
const firstDate = 'Thu, 01 Jan 1970 00:00:01 GMT'

function expire(fields: Fields, expires: Expiry, nowMs: number): void {
  if (expires === 'off') return
  if (expires === 'max') setExpiry(fields, lastDate, 'max-age=315360000')
  else if (expires === 'epoch') setExpiry(fields, firstDate, 'no-cache')
  else {
    const { seconds } = expires
    const date = new Date(nowMs + seconds * 1000).toUTCString()
    setExpiry(fields, date, seconds < 0 ? 'no-cache' : `max-age=${seconds}`)
  }
}

function setExpiry(fields: Fields, date: string, control: string): void {
  fields.set('Expires', date)
  fields.set('Cache-Control', control)
}

function addCharset(fields: Fields, charset: string): void {
  const type = fields.get('content-type')
  if (type === undefined || type.includes(';') || fields.get('content-encoding') !== undefined)
    return
  if (charsetTypes.has(type.trim().toLowerCase())) {
    fields.set('Content-Type', `${type}; charset=${charset}`)
  }
}

import type { Fields } from '#src/exchange/fields.ts'
import { releaseRequestHead, releaseResponseHead, takeRequestHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { Reply } from '#src/policies/policy.ts'
import type { Rule } from '#src/table/table.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { noteFailedTry } from './failed-try.ts'
import { setOrRemove } from './fallback.ts'
import { isGrpc } from './grpc-reply.ts'

/**
 * The page that takes the place of an answer, from the moment that it is asked for. What is left of
 * the client's request body is thrown away; the page's answer is the client's answer, whatever its
 * status, and is not replaced again.
 */
export interface ErrorPage {
  /** The status of the answer that it replaces. */
  readonly status: number
  /** How the client may authenticate, where the answer said so. */
  readonly challenge: string
  /** Tries that the answer took. */
  readonly triesBefore: number
  /** So many failed tries the log tells in front of it. */
  readonly failedBefore: number
  /** The request for the page, once it is sent. */
  head: RequestHead | undefined
  /** The try whose answer is replaced, while its short body is read off its connection. */
  replaced: Attempt | undefined
}

/** Longer bodies of answers that are replaced are not read: their connections are closed. */
const replacedBytesMax = 64 * 1024

/** Never asked of a page: they speak of the resource that the answer was about, or of a body. */
const left: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'content-length',
  'content-type',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
])

/** Puts a page in the place of an upstream's answer. False: the answer stands. */
export function replaceAnswer(
  exchange: Exchange,
  attempt: Attempt,
  head: ResponseHead,
  ended: boolean,
): boolean {
  const { body, live, target } = exchange
  // Who stands in for a Service without endpoints has made a page of it already.
  if (live?.errorPages?.intercept !== true || target === live.fallback) return false
  if (!isReplaced(exchange, head.status)) return false
  noteFailedTry(exchange, attempt, head.status)
  const page = newPage(exchange, head.status, challengeOf(head.fields))
  const length = head.contentLength
  releaseResponseHead(head)
  attempt.disown(replacedBytesMax)
  if (body.ended && (ended || length <= replacedBytesMax)) page.replaced = attempt
  else attempt.stream?.reset('cancel')
  askForPage(exchange, page)
  return true
}

/** Puts a page in the place of an answer of our own. False: the answer stands. */
export function replaceReply(exchange: Exchange, reply: Reply): boolean {
  if (reply.stands === true || exchange.response !== undefined) return false
  if (!isReplaced(exchange, reply.status)) return false
  askForPage(exchange, newPage(exchange, reply.status, challengeIn(reply.fields ?? [])))
  return true
}

function isReplaced({ live, page, request }: Exchange, status: number): boolean {
  if (live?.errorPages === undefined || page !== undefined) return false
  return live.errorPages.statuses.has(status) && !isGrpc(request)
}

function newPage({ tries, failedTries }: Exchange, status: number, challenge: string): ErrorPage {
  const failedBefore = failedTries?.length ?? 0
  const open = { head: undefined, replaced: undefined }
  return { status, challenge, triesBefore: tries, failedBefore, ...open }
}

/** As nginx keeps it: a page in place of a 401 still tells the client how to authenticate. */
function challengeOf(fields: Fields): string {
  return fields.get('www-authenticate') ?? ''
}

function challengeIn(fields: readonly string[]): string {
  const at = fields.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'www-authenticate')
  return at < 0 ? '' : (fields[at + 1] ?? '')
}

function askForPage(exchange: Exchange, page: ErrorPage): void {
  const { live, policies } = exchange
  exchange.page = page
  policies?.stopWaiting()
  exchange.attempt = undefined
  exchange.failedEndpoints = undefined
  exchange.repeated = false
  exchange.freshOnly = false
  exchange.hashKey = -1
  exchange.waiting = ''
  if (!exchange.body.ended) exchange.stream.pauseBody()
  exchange.body.discard()
  const target = live?.errorPages?.targets.find(({ backend }) => backend.eligible > 0)
  if (target === undefined) {
    exchange.reply({ status: 404 })
    return
  }
  exchange.target = target
  exchange.ask()
}

/** The request for the page: the client's own, without what belongs to another resource. */
export function pageHead(exchange: Exchange, page: ErrorPage): RequestHead {
  if (page.head !== undefined) return page.head
  const { live, request, requestId } = exchange
  const head = takeRequestHead()
  page.head = head
  const query = request.target.indexOf('?')
  head.method = request.method === 'HEAD' ? 'HEAD' : 'GET'
  head.target = query < 0 ? '/' : `/${request.target.slice(query)}`
  head.authority = exchange.publicHost
  const { fields } = head
  request.fields.forEach((name, value) => {
    if (!left.has(name.toLowerCase())) fields.append(name, value)
  })
  fields.set('X-Code', String(page.status))
  setOrRemove(fields, 'X-Format', request.fields.getSent('accept'))
  fields.set('X-Original-URI', exchange.originalTarget || request.target)
  fields.set('X-Request-ID', requestId)
  if (live !== undefined) nameRoute(head, live.rule)
  return head
}

function nameRoute({ fields }: RequestHead, { origin, errorPages }: Rule): void {
  const isIngress = origin.kind === 'Ingress'
  setOrRemove(fields, 'X-Namespace', isIngress ? origin.namespace : '')
  setOrRemove(fields, 'X-Ingress-Name', isIngress ? origin.name : '')
  setOrRemove(fields, 'X-Service-Name', errorPages?.service)
  setOrRemove(fields, 'X-Service-Port', errorPages?.servicePort)
}

/** What the page's answer keeps of the one that it replaces. */
export function dressPage({ status, challenge }: ErrorPage, { fields }: ResponseHead): void {
  if (status === 401 && challenge !== '') fields.set('WWW-Authenticate', challenge)
}

/** The exchange is over: gives back what the page held. */
export function endPage({ head, replaced }: ErrorPage): void {
  replaced?.stream?.reset('cancel')
  if (head !== undefined) releaseRequestHead(head)
}

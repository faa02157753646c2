import { takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { Reply } from '#src/policies/policy.ts'
import { grpcReplyHead, isGrpc } from './grpc-reply.ts'

/** Reason phrases of the statuses that we answer ourselves. */
const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

export function reasonOf(status: number): string {
  return reasons[status] ?? ''
}

/** The body of an answer of ours: one line of text, or a small page for a browser. */
export function statusBody(status: number, html: boolean): string {
  const title = `${status} ${reasonOf(status)}`.trim()
  if (!html) return `${title}\n`
  return `<!doctype html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`
}

/** An answer of ours, ready to go out. `body` undefined: none is sent. */
export interface OwnAnswer {
  readonly head: ResponseHead
  readonly body: Buffer | undefined
}

/** Makes the answer that a reply asks for. A status alone gets a short body, HTML for a browser. */
export function makeReply(reply: Reply, request: RequestHead): OwnAnswer {
  if (reply.status >= 400 && isGrpc(request)) {
    return { head: grpcReplyHead(reply.status, reasonOf(reply.status)), body: undefined }
  }
  const html = reply.body === undefined && wantsHtml(request)
  const body = Buffer.from(reply.body ?? statusBody(reply.status, html), 'utf8')
  const bytes = mayHaveBody(reply.status) ? body.length : 0
  const head = headOf(reply, bytes)
  if (bytes > 0) {
    const type = html ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'
    head.fields.append('Content-Type', reply.contentType ?? type)
  }
  const bodyless = bytes === 0 || request.method === 'HEAD'
  return { head, body: bodyless ? undefined : body }
}

function headOf({ status, fields = [] }: Reply, bodyBytes: number): ResponseHead {
  const head = takeResponseHead()
  head.status = status
  head.reason = reasonOf(status)
  head.contentLength = bodyBytes
  for (let i = 0; i < fields.length; i += 2) {
    head.fields.append(fields[i] as string, fields[i + 1] as string)
  }
  return head
}

function wantsHtml({ fields }: RequestHead): boolean {
  return fields.get('accept')?.includes('text/html') === true
}

/** RFC 9110 6.4.1: these never have a body. */
function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304
}

import { takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import { mayHaveBody } from '#src/http1/head-text.ts'
import { reasonPhrase } from '#src/http1/reason-phrases.ts'
import type { Reply } from '#src/policies/policy.ts'
import { grpcReplyHead, isGrpc } from './grpc-reply.ts'

/** The body of an answer of ours: one line of text, or a small page for a browser. */
export function statusBody(status: number, html: boolean): string {
  const title = `${status} ${reasonPhrase(status)}`.trim()
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
    return { head: grpcReplyHead(reply.status, reasonPhrase(reply.status)), body: undefined }
  }
  const html = reply.body === undefined && wantsHtml(request)
  const body = Buffer.from(reply.body ?? statusBody(reply.status, html), 'latin1')
  const bytes = mayHaveBody(reply.status) ? body.length : 0
  const head = headOf(reply, bytes)
  head.last = reply.last === true
  const type = contentTypeOf(reply, bytes, html)
  if (type !== '') head.fields.append('Content-Type', type)
  const bodyless = bytes === 0 || request.method === 'HEAD'
  return { head, body: bodyless ? undefined : body }
}

/** As nginx: of a body, and of an empty one if it was said. */
function contentTypeOf({ status, contentType }: Reply, bytes: number, html: boolean): string {
  if (contentType !== undefined) return mayHaveBody(status) ? contentType : ''
  if (bytes === 0) return ''
  return html ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'
}

function headOf({ status, fields = [] }: Reply, bodyBytes: number): ResponseHead {
  const head = takeResponseHead()
  head.status = status
  head.reason = reasonPhrase(status)
  head.contentLength = bodyBytes
  for (let i = 0; i < fields.length; i += 2) {
    head.fields.append(fields[i] as string, fields[i + 1] as string)
  }
  return head
}

function wantsHtml({ fields }: RequestHead): boolean {
  return fields.getSent('accept')?.includes('text/html') === true
}

import { takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'

/** gRPC status codes by what HTTP would have said (gRPC's http-grpc-status-mapping). */
const statusCodes: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  408: 4,
  413: 8,
  429: 14,
  502: 14,
  503: 14,
  504: 4,
}
const unknown = 2

/** Whether a request is a gRPC call: its answers carry their status in grpc-status, under HTTP 200. */
export function isGrpc({ fields, version }: RequestHead): boolean {
  return version === 20 && fields.getSent('content-type')?.startsWith('application/grpc') === true
}

/** Whether an answer of trailers only is UNAVAILABLE: the call may be tried elsewhere. */
export function isUnavailable(request: RequestHead, { status, fields }: ResponseHead): boolean {
  return status === 200 && fields.get('grpc-status') === '14' && isGrpc(request)
}

/** An answer of ours to a gRPC call: a response of trailers only. */
export function grpcReplyHead(status: number, reason: string): ResponseHead {
  const head = takeResponseHead()
  head.status = 200
  head.contentLength = 0
  head.fields.append('content-type', 'application/grpc')
  head.fields.append('grpc-status', String(statusCodes[status] ?? unknown))
  head.fields.append('grpc-message', `${status} ${reason}`)
  return head
}

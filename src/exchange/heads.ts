import { Fields } from './fields.ts'
import type { HeadStart } from './head-start.ts'

/**
 * The head of a request, of any protocol version.
 *
 * What belongs to one hop is gone from `fields`: Host, Connection and what it names, framing,
 * Upgrade, Expect, TE. What it meant is here as plain members; each codec writes it anew.
 */
export class RequestHead {
  /** The head that this one repeats, byte for byte, as it was received; undefined: it was read by itself. */
  origin: RequestHead | undefined
  /** Of an origin: what users of the heads that repeat it made of it. */
  readonly kept: {
    start: HeadStart | undefined
    route: unknown
    change: unknown
    line: unknown
  } = { start: undefined, route: undefined, change: undefined, line: undefined }
  method = ''
  /** Path and query exactly as sent (origin-form), or `*` for OPTIONS. */
  target = ''
  /** Host and optional port exactly as sent, valid per RFC 9110 7.2. */
  authority = ''
  /** What the client sent, once a policy has replaced it; '' until then. */
  originalAuthority = ''
  /** 10, 11 or 20. */
  version = 11
  /** Length of the body; -1: not known; 0: no body. */
  contentLength = 0
  /** Protocols asked for with Upgrade (or :protocol of RFC 8441); '' for none. */
  upgrade = ''
  expectContinue = false
  /** TE: trailers. */
  acceptsTrailers = false
  readonly fields = new Fields()

  /** The host and port that the client sent, whatever the upstream gets. */
  get sentAuthority(): string {
    return this.originalAuthority || this.authority
  }

  clear(): void {
    this.origin = undefined
    this.method = ''
    this.target = ''
    this.authority = ''
    this.originalAuthority = ''
    this.version = 11
    this.contentLength = 0
    this.upgrade = ''
    this.expectContinue = false
    this.acceptsTrailers = false
    this.fields.clear()
  }

  /** Becomes a head that was received as `other` was, in which nothing was changed since. */
  copyReceived(other: RequestHead): void {
    this.origin = other
    this.method = other.method
    this.target = other.target
    this.authority = other.authority
    this.version = other.version
    this.contentLength = other.contentLength
    this.upgrade = other.upgrade
    this.expectContinue = other.expectContinue
    this.acceptsTrailers = other.acceptsTrailers
    this.fields.copyReceived(other.fields)
  }
}

/** The head of a response, interim (1xx) ones included. As for requests, hop-by-hop fields are gone. */
export class ResponseHead {
  /** As for requests. */
  origin: ResponseHead | undefined
  /** Of an origin: the start of it as it was sent on. */
  start: HeadStart | undefined
  status = 0
  /** Reason phrase as sent; '' lets the writer choose. HTTP/2 has none. */
  reason = ''
  /** 10, 11 or 20. */
  version = 11
  /** Length of the body; -1: not known. For HEAD and 304 what the field said, though no body follows. */
  contentLength = -1
  /** The protocol switched to, with status 101 (or a 200 to an extended CONNECT). */
  upgrade = ''
  /** The request was malformed: on HTTP/1 the client's connection ends behind this answer. */
  last = false
  readonly fields = new Fields()

  clear(): void {
    this.origin = undefined
    this.last = false
    this.status = 0
    this.reason = ''
    this.version = 11
    this.contentLength = -1
    this.upgrade = ''
    this.fields.clear()
  }

  /** As for requests. */
  copyReceived(other: ResponseHead): void {
    this.origin = other
    this.status = other.status
    this.reason = other.reason
    this.version = other.version
    this.contentLength = other.contentLength
    this.upgrade = other.upgrade
    this.fields.copyReceived(other.fields)
  }
}

const requestHeads: RequestHead[] = []
const responseHeads: ResponseHead[] = []
const pooledHeads = 1024

/** A cleared head from the pool of this thread. Codecs take, the exchange gives back when it ends. */
export function takeRequestHead(): RequestHead {
  return requestHeads.pop() ?? new RequestHead()
}

export function takeResponseHead(): ResponseHead {
  return responseHeads.pop() ?? new ResponseHead()
}

/** Gives a head back. The caller, and everybody it told, must not touch it afterwards. */
export function releaseRequestHead(head: RequestHead): void {
  head.clear()
  if (requestHeads.length < pooledHeads) requestHeads.push(head)
}

export function releaseResponseHead(head: ResponseHead): void {
  head.clear()
  if (responseHeads.length < pooledHeads) responseHeads.push(head)
}

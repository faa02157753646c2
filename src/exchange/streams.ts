import type { Fields } from './fields.ts'
import type { RequestHead, ResponseHead } from './heads.ts'

/**
 * The seam between codecs and the proxy. A codec turns bytes into these calls and back; the proxy
 * knows no protocol version. One stream carries one exchange; on HTTP/1.1 the connection is the
 * stream, over and over.
 *
 * Rules that hold on both sides:
 * - Bytes come as `buffer` from `start` to `end`. They are valid during the call only. A callee that
 *   cannot pass them on keeps a copy.
 * - `send…` returns false when something is queued. The caller then pauses the other side in the same
 *   turn and resumes it at `on…Writable`. Sending on regardless is allowed for what is already in hand.
 * - Output waits for `flush`, so that a head and its first body bytes leave in one write. A codec calls
 *   `on…Flush` after each batch of events, and the proxy flushes what it sent in answer.
 * - After `reset`, and after an event that ends the stream, no further event comes; but the flush of
 *   its batch may. A whole response ends the stream too, whatever is missing of the request.
 */

/** Why a stream ended early. HTTP/2 maps it to an error code (RFC 9113 7); HTTP/1 closes. */
export type ResetReason =
  'cancel' | 'refused' | 'timeout' | 'too-large' | 'protocol-error' | 'upstream-failed' | 'internal'

/** The client's end of a connection, as rules and logs see it. One object a connection. */
export interface Peer {
  /** Address of the client: the socket's, or what a trusted PROXY header says. */
  readonly address: string
  readonly port: number
  /** Address and port that the client connected to. */
  readonly localAddress: string
  readonly localPort: number
  /** The socket's own peer where a PROXY header replaced it; else the same as `address`. */
  readonly socketAddress: string
  readonly scheme: 'http' | 'https'
  readonly tls: PeerTls | undefined
  /** The proxy's own notes on this connection; others leave it alone. */
  context?: unknown
}

export interface PeerTls {
  /** SNI in lower case, '' for none. */
  readonly serverName: string
  readonly protocol: string
  readonly cipher: string
  readonly alpn: string
  readonly resumed: boolean
  /** What the client showed when it was asked for a certificate; undefined: it was not asked, or had none. */
  readonly clientCertificate?: ClientCertificate | undefined
}

/** A client's certificate, and what checking it against the CAs of the site gave. */
export interface ClientCertificate {
  /** '' for a good one; else the error in OpenSSL's words, e.g. `certificate has expired`. */
  readonly error: string
  /** CA certificates between the leaf and the trusted root. */
  readonly depth: number
  readonly pem: string
  /** Distinguished names as RFC 2253 writes them. */
  readonly subject: string
  readonly issuer: string
  /** Hexadecimal, upper case. */
  readonly serialNumber: string
  /** Digest of the DER form, hexadecimal, lower case. */
  readonly sha1: string
  readonly sha256: string
}

/** What the proxy calls to answer one request. Server side of a codec. */
export interface ServerStream {
  readonly peer: Peer
  /** An interim response: 100, 103. Not for HTTP/1.0 clients; the codec drops it there. */
  sendInterim(head: ResponseHead): void
  /**
   * The final head. `ended`: no body follows. With `head.contentLength` -1 the codec frames the body
   * itself. Status 101 turns the rest of the stream into a tunnel in both directions.
   */
  sendHead(head: ResponseHead, ended: boolean): void
  sendText(text: string): boolean
  sendData(buffer: Buffer, start: number, end: number): boolean
  sendEnd(trailers: Fields | undefined): void
  flush(): void
  /** Ends the response so that the client cannot take it for complete. */
  reset(reason: ResetReason): void
  /** Stops and restarts the request body. */
  pauseBody(): void
  resumeBody(): void
  /** True while bytes wait for the client. */
  readonly backedUp: boolean
}

/** What the proxy hears from one client stream. */
export interface ServerStreamHandler {
  onRequestBody(buffer: Buffer, start: number, end: number): void
  onRequestEnd(trailers: Fields | undefined): void
  /** The client reset the stream, closed, broke the protocol in the body, or was too slow. */
  onRequestReset(reason: ResetReason): void
  onRequestFlush(): void
  onClientWritable(): void
}

/** The proxy's entry: codecs bring every valid request here. */
export interface RequestAcceptor {
  /**
   * A request head arrived. `ended`: nothing follows, no body and, where it asks for an upgrade, no
   * tunnel either. The handler gets all later events of the stream.
   * The head belongs to the acceptor until it releases it.
   */
  onRequest(stream: ServerStream, head: RequestHead, ended: boolean): ServerStreamHandler
  /** A request was refused below the proxy; returns the text of the answer's body. */
  onRejected(peer: Peer, status: number, code: string): string
}

/** What the proxy calls to ask an upstream. Client side of a codec. */
export interface ClientStream {
  /** Whether its connection carried an exchange before: a stale connection may fail unseen. */
  readonly reused: boolean
  /** Whether the connection is ready: TCP, and TLS where it is wanted. */
  readonly connected: boolean
  /** Whether any byte of this request may have reached the upstream. */
  readonly sent: boolean
  sendHead(head: RequestHead, ended: boolean): void
  sendText(text: string): boolean
  sendData(buffer: Buffer, start: number, end: number): boolean
  sendEnd(trailers: Fields | undefined): void
  flush(): void
  /**
   * Abandons the exchange; on HTTP/1 the connection is closed. No event follows. Does nothing when
   * both directions have ended, whatever the connection carries by now.
   */
  reset(reason: ResetReason): void
  pauseBody(): void
  resumeBody(): void
  readonly backedUp: boolean
}

/** Why an attempt at an upstream failed. */
export type UpstreamFailure =
  | 'connect-refused'
  | 'connect-timeout'
  | 'tls-failed'
  | 'closed'
  | 'reset'
  | 'malformed'
  | 'head-too-large'
  | 'refused-stream'
  | 'limit'

/** What the proxy hears from one attempt at an upstream. */
export interface ClientStreamHandler {
  /** Connection and TLS are ready. Called for new connections only, before anything else. */
  onUpstreamConnected(): void
  /** 1xx but 101; the head belongs to the handler until it releases it. */
  onInterimResponse(head: ResponseHead): void
  /** The final head, or 101 with a tunnel behind it; the head is the handler's, as above. */
  onResponse(head: ResponseHead, ended: boolean): void
  onResponseBody(buffer: Buffer, start: number, end: number): void
  onResponseEnd(trailers: Fields | undefined): void
  /** The attempt is over; before or amid a response. */
  onUpstreamFailure(failure: UpstreamFailure): void
  /** Behind all events of one read. */
  onResponseFlush(): void
  onUpstreamWritable(): void
}

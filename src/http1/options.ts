import type { NameRules } from './field-scanner.ts'

/**
 * What the server role can be told. The global options of the route table have all of it under the
 * same names; whoever changes them hands over a new object, which counts from the next request on.
 */
export interface Http1ServerOptions extends NameRules {
  /** Idle time after which a kept connection is closed; 0: none is kept. */
  readonly keepAliveTimeoutMs: number
  /** Requests that one connection may carry. */
  readonly keepAliveRequests: number
  /**
   * From the first byte of a request, on a new connection from its start, to the end of the head;
   * 0: no limit.
   */
  readonly requestHeadTimeoutMs: number
  /** Between two pieces of a request body; 0: no limit. */
  readonly requestBodyTimeoutMs: number
  readonly requestLineBytesMax: number
  readonly requestHeadBytesMax: number
  readonly requestFieldsMax: number
}

/** What the client role can be told, for all connections to one upstream. */
export interface Http1ClientOptions {
  readonly responseHeadBytesMax: number
  /** 11, or 10 for servers that know no better. */
  readonly version: 10 | 11
  /** False: `Connection: close` is sent, and the session carries one exchange. */
  readonly persistent: boolean
  /** `Connection: keep-alive` is sent, for upstreams that look for it, while the connection is kept. */
  readonly saysKeepAlive?: true
}

/** Times and sizes of the server role that ingress-nginx has no key for. */
export const serverTiming = {
  /** A client that takes nothing of a response for this long is cut off (nginx: send_timeout). */
  sendTimeoutMs: 60_000,
  /** How long the client may go on sending after our last byte, before the connection is closed. */
  lingerMs: 500,
  /** The same where it was amid a request body when it got its answer. */
  bodyLingerMs: 5_000,
  /** What may be thrown away meanwhile. */
  lingerBytesMax: 16 * 1024 * 1024,
  /** Answers to pipelined requests are joined until they have this length. */
  joinedBytesMax: 16 * 1024,
  /** When a worker drains, a new connection may still bring its first request for this long. */
  drainGraceMs: 1_000,
} as const

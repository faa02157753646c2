/**
 * Where the reading stands.
 * - idle: between requests; no byte of the next one is here.
 * - head: a part of a head is here.
 * - body: the request body is being read.
 * - waiting: the request is whole, its exchange is not over.
 * - tunnel: after 101; bytes pass as they are.
 * - lingering: our last byte is on its way; what comes is thrown away until the client has closed.
 */
export type ServerPhase = 'idle' | 'head' | 'body' | 'waiting' | 'tunnel' | 'lingering' | 'closed'

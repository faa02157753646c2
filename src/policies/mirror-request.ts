import type { Peer } from '#src/exchange/streams.ts'
import type { Subrequest } from './policy.ts'

/** A copy of a request, whole, for somebody whose answer nobody reads. */
export type MirrorRequest = Pick<
  Subrequest,
  'backend' | 'method' | 'authority' | 'target' | 'fields' | 'body'
> & {
  /** Server name for TLS; '': plain HTTP. */
  readonly serverName: string
}

/** Why a copy was not sent: its body is too long, or the client left before it was whole. */
export type UnsentFate = 'too-large' | 'cut'

/**
 * The copies of requests that one worker has under way. Each takes a place with `begin`, holds bytes
 * while its body comes, and ends with `send` or `drop`.
 */
export interface Mirrors {
  /** A place for one more copy; false: there is none, which is counted. */
  begin(): boolean
  /** Room for more bytes of a copy's body; false: the worker's copies hold too many. */
  hold(bytes: number): boolean
  /** Gives up a copy that holds so many bytes. */
  drop(bytes: number, fate: UnsentFate): void
  send(peer: Peer, request: MirrorRequest): void
}

import type { FieldBlock } from '#src/exchange/field-block.ts'
import type { Peer } from '#src/exchange/streams.ts'
import type { LimitKey } from '#src/shared/limit-memory.ts'
import type { Authorities, Certificate, GlobalOptions, Listener } from '#src/table/table.ts'

/** What the proxy remembers about one client connection, so that requests on it cost less. */
export class ConnectionContext {
  readonly listener: Listener
  /** Options under which `trusted` and the block were made; others make them stale. */
  options: GlobalOptions | undefined
  /** Whether forwarding headers of this peer count. */
  trusted = false
  /** Authority that `block` was made for. */
  blockAuthority = ''
  block: FieldBlock | undefined
  /** The last key of a limit that a request on it was counted under. */
  limitKey: LimitKey | undefined

  /** The certificate that the client was shown; undefined without TLS. */
  readonly certificate: Certificate | undefined

  /** What a certificate of the client was checked against; undefined: it was not asked for one. */
  readonly asked: Authorities | undefined

  constructor(listener: Listener, certificate: Certificate | undefined, asked?: Authorities) {
    this.listener = listener
    this.certificate = certificate
    this.asked = asked
  }
}

/** The context of a connection; the acceptor put it there. */
export function contextOf(peer: Peer): ConnectionContext {
  return peer.context as ConnectionContext
}

import type { Endpoint } from '#src/table/table.ts'
import type { EndpointPool } from './pool.ts'

/**
 * One endpoint as this worker knows it, for as long as anything refers to it: longer than its place
 * in the table, when a request or a tunnel outlives that.
 */
export class LiveEndpoint {
  readonly address: string
  readonly port: number
  readonly uid: string
  /** `address:port`, IPv6 in brackets: for logs and metrics. */
  readonly name: string
  /** Slot in the shared endpoint memory; 0 is the overflow slot. */
  readonly slot: number
  /** Our cell of the slot. */
  readonly cell: number
  /** Place in the columns of its backend; -1: gone from the table. */
  index = -1
  /** Tries under way. */
  holders = 0
  /** A load probe is under way, how many in a row brought nothing, and when the next one may be sent. */
  probing = false
  probesFailed = 0
  probeAfter = 0
  /** When the log may hear again of connections that cannot be made. */
  reportAfter = 0
  /** By protocol and TLS settings; seldom more than one. */
  readonly pools: EndpointPool[] = []

  constructor(endpoint: Endpoint, slot: number, cell: number) {
    this.address = endpoint.address
    this.port = endpoint.port
    this.uid = endpoint.uid
    this.name = endpoint.address.includes(':')
      ? `[${endpoint.address}]:${endpoint.port}`
      : `${endpoint.address}:${endpoint.port}`
    this.slot = slot
    this.cell = cell
  }

  /** Whether this is the endpoint that the table describes, so that its history goes on. */
  is(endpoint: Endpoint, slot: number): boolean {
    return (
      this.slot === slot &&
      this.port === endpoint.port &&
      this.address === endpoint.address &&
      this.uid === endpoint.uid
    )
  }
}

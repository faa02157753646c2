import { isIP } from 'node:net'
import { isAuthority } from '#src/exchange/authority.ts'
import { fieldMask, forwardingFields } from '#src/exchange/known-fields.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import type { Peer } from '#src/exchange/streams.ts'
import { contextOf } from './connection-context.ts'
import type { ConnectionContext } from './connection-context.ts'
import { forwardingBlock } from './forwarding-blocks.ts'
import type { Services } from './services.ts'
import type { TrustedPeers } from './trusted-peers.ts'

/** Who the client is and how it came here: decided once a request, used by everything else. */
export interface ClientIdentity {
  clientAddress: string
  /** What X-Forwarded-Proto says: a trusted peer's word, else the connection's scheme. */
  forwardedProto: string
  scheme: 'http' | 'https'
  port: number
  /** The host that the client asked for, with port if it named one. */
  publicHost: string
  /** Mask of X-Forwarded-Host, -Port and -Scheme, as far as a trusted peer sent them. */
  vouchedFields: number
}

/** Fields that only the proxy may set; a client's own never reach an upstream under these names. */
const forwarding = fieldMask(
  ...forwardingFields,
  'x-original-forwarded-for',
  'x-original-forwarded-host',
)

/** Of these, what a trusted peer said is passed on to an authentication service. */
const vouchable = fieldMask('x-forwarded-host', 'x-forwarded-port', 'x-forwarded-scheme')

/** Decides the identity and replaces the forwarding fields of the request by ours. */
export function identify(
  identity: ClientIdentity,
  head: RequestHead,
  peer: Peer,
  services: Services,
): void {
  const { options, logsServerPlace } = services.table
  const context = contextOf(peer)
  if (context.options !== options) {
    context.options = options
    const believes = options.useForwardedHeaders || options.realIp
    context.trusted = believes && services.trustedPeers.has(peer.socketAddress)
    context.block = undefined
    // The kernel tells it of open connections alone, and a line may be written later.
    if (logsServerPlace) void peer.localAddress
  }
  fromConnection(identity, head, peer, context)
  if (context.trusted || (head.fields.mask & forwarding) !== 0) {
    fromFields(identity, head, context, services)
    return
  }
  if (context.block === undefined || context.blockAuthority !== head.authority) {
    context.block = forwardingBlock(identity, identity.clientAddress)
    context.blockAuthority = head.authority
  }
  head.fields.appendBlock(context.block)
}

function fromConnection(
  identity: ClientIdentity,
  head: RequestHead,
  peer: Peer,
  { listener }: ConnectionContext,
): void {
  identity.clientAddress = peer.address
  // Behind a PROXY header the port the client connected to tells the scheme, as ingress-nginx has it.
  const viaProxy = listener.proxyProtocol
  const https = peer.scheme === 'https' || (viaProxy && peer.localPort === 443)
  identity.scheme = https ? 'https' : 'http'
  identity.forwardedProto = identity.scheme
  // The listener knows its port without asking the kernel; in tests it is 0 until it is open.
  const ownPort = https ? 443 : listener.port || peer.localPort
  identity.port = viaProxy ? peer.localPort : ownPort
  identity.publicHost = head.authority
  identity.vouchedFields = 0
}

/** The slow way: a trusted peer speaks for the client, or an untrusted one tried to. */
function fromFields(
  identity: ClientIdentity,
  head: RequestHead,
  context: ConnectionContext,
  { table, trustedPeers }: Services,
): void {
  const { fields } = head
  const { options } = table
  const sentFor = fields.getJoined('x-forwarded-for')
  const sentHost = fields.getJoined('x-forwarded-host')
  let forwardedFor = identity.clientAddress
  if (context.trusted) {
    const ourPeer = identity.clientAddress
    const chain = fields.getJoined(options.forwardedForHeader.toLowerCase())
    if (chain !== undefined) identity.clientAddress = clientOf(chain, trustedPeers) ?? ourPeer
    forwardedFor = identity.clientAddress
    if (options.computeFullForwardedFor && chain !== undefined)
      forwardedFor = `${chain}, ${ourPeer}`
    if (options.useForwardedHeaders) {
      trustFields(identity, head)
      identity.vouchedFields = fields.mask & vouchable
    }
  }
  fields.removeKnown(forwarding)
  if (sentFor !== undefined) fields.append('X-Original-Forwarded-For', sentFor)
  if (sentHost !== undefined) fields.append('X-Original-Forwarded-Host', sentHost)
  fields.appendBlock(forwardingBlock(identity, forwardedFor))
}

function trustFields(identity: ClientIdentity, { fields }: RequestHead): void {
  const proto = firstOf(fields.get('x-forwarded-proto'))
  if (proto !== '') {
    identity.forwardedProto = proto
    identity.scheme = proto.toLowerCase() === 'https' ? 'https' : 'http'
    identity.port = identity.scheme === 'https' ? 443 : identity.port
  }
  const port = firstOf(fields.get('x-forwarded-port'))
  if (/^[1-9]\d{0,4}$/.test(port) && Number(port) < 65_536) identity.port = Number(port)
  const host = firstOf(fields.get('x-forwarded-host'))
  if (isAuthority(host)) identity.publicHost = host
}

/** The client in a chain of addresses: from the right, the first that is not trusted itself. */
function clientOf(chain: string, trustedPeers: TrustedPeers): string | undefined {
  const hops = chain.split(',')
  let client: string | undefined
  for (let i = hops.length - 1; i >= 0; i--) {
    const address = addressOf(hops[i] as string)
    if (address === undefined) return client
    client = address
    if (!trustedPeers.has(address)) return client
  }
  return client
}

/** One hop of the chain without port and brackets; undefined when it is no address. */
function addressOf(hop: string): string | undefined {
  const text = hop.trim()
  if (isIP(text) > 0) return text
  const bare = text.startsWith('[') ? text.slice(1, text.indexOf(']')) : text.replace(/:\d+$/, '')
  return isIP(bare) > 0 ? bare : undefined
}

function firstOf(list: string | undefined): string {
  if (list === undefined) return ''
  const comma = list.indexOf(',')
  return (comma < 0 ? list : list.slice(0, comma)).trim()
}

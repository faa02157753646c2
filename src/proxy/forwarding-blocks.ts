import { FieldBlock } from '#src/exchange/field-block.ts'
import type { ClientIdentity } from './client-identity.ts'

/** Blocks that are kept; must be a power of two. */
const keptMax = 256

interface KeptBlock {
  readonly publicHost: string
  readonly port: number
  readonly forwardedProto: string
  readonly clientAddress: string
  readonly forwardedFor: string
  readonly block: FieldBlock
}

const kept: (KeptBlock | undefined)[] = Array.from({ length: keptMax }, () => undefined)

/**
 * The fields that tell an upstream of a client. Clients come back on further connections, and behind a
 * load balancer all come from a few addresses: what was made for the same words lately is taken again.
 */
export function forwardingBlock(identity: ClientIdentity, forwardedFor: string): FieldBlock {
  const { clientAddress, publicHost, port, forwardedProto } = identity
  const place = placeOf(clientAddress, publicHost)
  const found = kept[place]
  if (
    found !== undefined &&
    found.clientAddress === clientAddress &&
    found.forwardedFor === forwardedFor &&
    found.publicHost === publicHost &&
    found.port === port &&
    found.forwardedProto === forwardedProto
  ) {
    return found.block
  }
  const block = makeBlock(identity, forwardedFor)
  kept[place] = { publicHost, port, forwardedProto, clientAddress, forwardedFor, block }
  return block
}

/** By the ends of both names, which are where clients and hosts differ most. */
function placeOf(address: string, host: string): number {
  const { length } = address
  const client = address.charCodeAt(length - 1) + 7 * address.charCodeAt(length - 2) + 31 * length
  return (client + 13 * host.charCodeAt(0) + 5 * host.length) & (keptMax - 1)
}

function makeBlock(
  { clientAddress, publicHost, port, forwardedProto }: ClientIdentity,
  forwardedFor: string,
): FieldBlock {
  return new FieldBlock([
    'X-Real-IP',
    clientAddress,
    'X-Forwarded-For',
    forwardedFor,
    'X-Forwarded-Host',
    publicHost,
    'X-Forwarded-Port',
    String(port),
    'X-Forwarded-Proto',
    forwardedProto,
    'X-Forwarded-Scheme',
    forwardedProto,
    'X-Scheme',
    forwardedProto,
  ])
}

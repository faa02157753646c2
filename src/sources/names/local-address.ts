import { BlockList, isIP } from 'node:net'

const local = new BlockList()
/** This host, this link, groups, and everybody (RFC 6890). */
const localSubnets: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
  // Unspecified, loopback, and IPv4 addresses in the form that RFC 4291 2.5.5.1 gave up.
  ['::', 96],
  ['fe80::', 10],
  ['ff00::', 8],
  // Metadata services that have addresses of other kinds: AWS, Google, Oracle, Alibaba, Azure.
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
  ['192.0.0.192', 32],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
]
for (const [network, prefix] of localSubnets) {
  const version = isIP(network)
  local.addSubnet(network, prefix, version === 4 ? 'ipv4' : 'ipv6')
  // What a NAT64 gateway makes of it (RFC 6052 2.1).
  if (version === 4) local.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6')
}

/**
 * Whether an address means this host, this link, or a cloud's metadata service: places that a name in
 * somebody's manifest must not lead to. IPv4 addresses within IPv6 ones count as IPv4. What is no
 * address counts as local.
 */
export function isLocalAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 0) return true
  return local.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

import { BlockList, isIP } from 'node:net'

/** Addresses that a user of a cluster must not reach through us: our own host, and cloud metadata. */
const forbidden = new BlockList()
forbidden.addSubnet('0.0.0.0', 8, 'ipv4')
forbidden.addSubnet('127.0.0.0', 8, 'ipv4')
forbidden.addSubnet('169.254.0.0', 16, 'ipv4')
forbidden.addSubnet('224.0.0.0', 4, 'ipv4')
forbidden.addAddress('255.255.255.255', 'ipv4')
forbidden.addSubnet('::', 127, 'ipv6')
forbidden.addSubnet('fe80::', 10, 'ipv6')
forbidden.addSubnet('ff00::', 8, 'ipv6')
forbidden.addAddress('fd00:ec2::254', 'ipv6')

/**
 * What is wrong with an endpoint's address, or undefined. `family`: the slice's addressType. `any`:
 * loopback, link-local, multicast, unspecified and metadata addresses are allowed.
 */
export function addressProblem(
  address: string,
  family: 'IPv4' | 'IPv6' | 'any',
  any: boolean,
): string | undefined {
  const version = isIP(address)
  if (version === 0) return 'is not an IP address'
  if (family !== 'any' && family !== `IPv${version}`) return `is not an ${family} address`
  if (any) return undefined
  const bare = address.split('%')[0] ?? ''
  return forbidden.check(bare, version === 4 ? 'ipv4' : 'ipv6')
    ? 'is a loopback, link-local, multicast or metadata address'
    : undefined
}

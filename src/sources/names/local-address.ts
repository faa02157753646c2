import { BlockList, isIP } from 'node:net'

const local = new BlockList()
local.addSubnet('0.0.0.0', 8, 'ipv4')
local.addSubnet('127.0.0.0', 8, 'ipv4')
local.addSubnet('169.254.0.0', 16, 'ipv4')
local.addAddress('100.100.100.200', 'ipv4')
local.addAddress('192.0.0.192', 'ipv4')
local.addAddress('::', 'ipv6')
local.addAddress('::1', 'ipv6')
local.addSubnet('fe80::', 10, 'ipv6')
local.addAddress('fd00:ec2::254', 'ipv6')

/**
 * Whether an address means this host, this link, or a cloud's metadata service: places that a name in
 * somebody's manifest must not lead to. IPv4 addresses mapped into IPv6 count as IPv4.
 */
export function isLocalAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 0) return true
  return local.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

import { AddressSet } from '#src/policies/address-set.ts'
import type { AccessRule } from './program.ts'

/** Asks address rules in order; undefined: none holds the address. */
export function linkAccess(
  rules: readonly AccessRule[],
): (address: string) => 'allow' | 'deny' | undefined {
  const linked = rules.map(({ allow, cidr }) => ({ allow, addresses: new AddressSet([cidr]) }))
  return (address) => {
    for (const { allow, addresses } of linked) {
      if (addresses.has(address)) return allow ? 'allow' : 'deny'
    }
    return undefined
  }
}

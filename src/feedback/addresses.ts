import { isIP } from 'node:net'
import type { Service } from '#src/snapshot/objects.ts'

/** The entry of status.loadBalancer.ingress for an IP or a host name. */
export function statusEntry(
  address: string,
): { readonly ip: string } | { readonly hostname: string } {
  return isIP(address) > 0 ? { ip: address } : { hostname: address }
}

/** Sorted, each once: the order in which sources name them means nothing. */
export function sortedAddresses(addresses: Iterable<string>): string[] {
  return [...new Set(addresses)].toSorted()
}

/** What a Service is reached at from outside, as ingress-nginx sees it. */
export function addressesOfService(service: Service): string[] {
  const clusterIps = service.clusterIps.filter((ip) => isIP(ip) > 0)
  if (service.type === 'ExternalName') return [service.externalName]
  if (service.type === 'LoadBalancer') {
    return sortedAddresses([...service.loadBalancerAddresses, ...service.externalIps])
  }
  const external = service.type === 'NodePort' && service.externalIps.length > 0
  return sortedAddresses(external ? service.externalIps : clusterIps)
}

/** What is read of a Node. */
export interface NodeAddress {
  readonly type?: string
  readonly address?: string
}

/** A Node's external addresses, else its internal ones. */
export function addressesOfNode(addresses: readonly NodeAddress[]): string[] {
  const ofType = (wanted: string): string[] =>
    addresses.flatMap(({ type, address = '' }) =>
      type === wanted && isIP(address) > 0 ? [address] : [],
    )
  const external = ofType('ExternalIP')
  return external.length > 0 ? external : ofType('InternalIP')
}

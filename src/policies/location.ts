import type { PolicyExchange } from './policy.ts'

/** The host that the client asked for, lower case, without port. */
export function publicHostOf({ publicHost, peer }: PolicyExchange): string {
  if (publicHost !== '') return withoutPort(publicHost).toLowerCase()
  // HTTP/1.0 clients may name no host; then the address they connected to is the only name there is.
  const { localAddress } = peer
  return localAddress.includes(':') ? `[${localAddress}]` : localAddress
}

/** The port that the client named, with its colon; '' for none. */
export function publicPortOf({ publicHost }: PolicyExchange): string {
  return publicHost.slice(withoutPort(publicHost).length)
}

function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':')
  return colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority
}

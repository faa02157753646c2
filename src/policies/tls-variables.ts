import type { ClientCertificate, Peer } from '#src/exchange/streams.ts'

type Read = (source: { readonly peer: Peer }) => string

/**
 * nginx's variables of a TLS connection; '' without one, and of a client that showed no certificate. What
 * checking it gave is not among them, as that depends on what the host asks for.
 */
export const tlsVariables: Readonly<Record<string, Read>> = {
  ssl_cipher: ({ peer }) => peer.tls?.cipher ?? '',
  ssl_client_escaped_cert: ({ peer }) => encodeURIComponent(shownBy(peer)?.pem ?? ''),
  ssl_client_fingerprint: ({ peer }) => shownBy(peer)?.sha1 ?? '',
  ssl_client_i_dn: ({ peer }) => visibleName(shownBy(peer)?.issuer ?? ''),
  ssl_client_s_dn: ({ peer }) => visibleName(shownBy(peer)?.subject ?? ''),
  ssl_client_serial: ({ peer }) => shownBy(peer)?.serialNumber ?? '',
  ssl_protocol: ({ peer }) => peer.tls?.protocol ?? '',
  ssl_server_name: ({ peer }) => peer.tls?.serverName ?? '',
}

function shownBy({ tls }: Peer): ClientCertificate | undefined {
  return tls?.clientCertificate
}

/** Names are escaped where they are read; this holds whatever is read there. */
export function visibleName(name: string): string {
  return name.replaceAll(/[^ -~]/g, '?')
}

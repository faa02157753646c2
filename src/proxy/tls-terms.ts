import type { GlobalOptions, HandshakeTerms } from '#src/table/table.ts'
import { withNewestCiphers } from '#src/transport/tls-contexts.ts'
import type { TlsTerms } from '#src/transport/tls-contexts.ts'

/** What handshakes may agree on under one set of options, host by host. Nothing is made for hosts that ask for nothing. */
export class HandshakeTermsCache {
  readonly #options: GlobalOptions
  readonly #common: TlsTerms | undefined
  readonly #byHost = new WeakMap<HandshakeTerms, TlsTerms>()

  constructor(options: GlobalOptions) {
    this.#options = options
    const { tlsCiphers, tlsVersions } = options
    this.#common =
      tlsCiphers.length === 0 && tlsVersions.length > 1 ? undefined : termsOf(options, undefined)
  }

  /** `handshake`: of the host; undefined for none. */
  of(handshake: HandshakeTerms | undefined): TlsTerms | undefined {
    if (handshake === undefined) return this.#common
    let terms = this.#byHost.get(handshake)
    if (terms === undefined) {
      terms = termsOf(this.#options, handshake)
      this.#byHost.set(handshake, terms)
    }
    return terms
  }
}

function termsOf(
  { tlsCiphers, tlsVersions }: GlobalOptions,
  handshake: HandshakeTerms | undefined,
): TlsTerms {
  const own = handshake?.ciphers ?? []
  const ciphers = own.length > 0 ? own : tlsCiphers
  return {
    minVersion: tlsVersions[0] ?? 'TLSv1.2',
    maxVersion: tlsVersions.at(-1) ?? 'TLSv1.3',
    ...(ciphers.length > 0 && { ciphers: withNewestCiphers(ciphers) }),
    ...(handshake?.preferServerOrder === false && { preferServerOrder: false }),
  }
}

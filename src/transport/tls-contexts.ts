import { constants, createHash } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { splitLists } from './authorities.ts'
import { BoundedMap } from './bounded-map.ts'
import { TicketKeys } from './raw/ticket-keys.ts'

/** A certificate with its key. */
export interface TlsSite {
  /** Leaf first, PEM. */
  readonly certificatePem: string
  readonly keyPem: string
  /** Changes with certificate and key. */
  readonly fingerprint: string
}

/** What client certificates are checked against. */
export interface ClientAuthorities {
  /** PEM. */
  readonly caPem: string
  /** Revocation lists, PEM; '' for none. */
  readonly crlPem: string
  /** Changes with both. */
  readonly fingerprint: string
}

/** What a handshake may agree on. */
export interface TlsTerms {
  /** OpenSSL names, those of TLS 1.3 among them; default: `defaultCiphers`. */
  readonly ciphers?: string
  /** Our order of suites counts, not the client's; default: true. */
  readonly preferServerOrder?: boolean
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
}

export interface TlsContextsOptions extends TlsTerms {
  /** 48 bytes, the same in all workers, so that each resumes what another began. */
  readonly ticketKeys: Buffer
  /** Contexts kept; default: 2048, which is 60 MB in this worker when as many sites are in use. */
  readonly contextsMax?: number
}

const newestCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
]

/**
 * Forward secret and authenticated suites only. Finite-field Diffie-Hellman is left out: every client of
 * today has elliptic curves, and it costs the server a multiple (CVE-2002-20001). It can be named in `ciphers`.
 */
export const defaultCiphers = [
  ...newestCiphers,
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** These suites of TLS 1.2, and what TLS 1.3 offers anyway. */
export function withNewestCiphers(names: readonly string[]): string {
  return [...newestCiphers, ...names].join(':')
}

const contextsMaxDefault = 2048
/** As ingress-nginx's `ssl-session-timeout`. */
const sessionTimeoutSeconds = 600
/** OpenSSL's limit is 32 bytes. */
const sessionContextChars = 32

const serverOrderFlags =
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_PRIORITIZE_CHACHA

/**
 * The TLS contexts of one worker: made when a site is first asked for (0.2 ms), kept while they
 * are used (30 KB each). Open connections keep theirs, whatever happens here.
 */
export class TlsContexts {
  readonly #options: TlsContextsOptions
  readonly #contexts: BoundedMap<string, SecureContext>
  readonly #tickets: TicketKeys
  #ticketKeys: Buffer
  /** Contexts have their keys for good: a change needs new contexts. */
  #fixedKeys = false

  constructor(options: TlsContextsOptions) {
    this.#options = options
    this.#ticketKeys = options.ticketKeys
    this.#tickets = new TicketKeys(options.ticketKeys)
    this.#contexts = new BoundedMap(options.contextsMax ?? contextsMaxDefault)
  }

  get size(): number {
    return this.#contexts.size
  }

  /**
   * The context for `ServerTls`. Sessions begun at one site cannot be resumed at another. Where clients are
   * asked for a certificate no session is resumed: a session keeps the certificate, but neither the chain
   * behind it nor the day on which it was checked. Throws when OpenSSL refuses certificate, key or CA, which
   * the control plane's checks rule out.
   */
  get(site: TlsSite, clients?: ClientAuthorities, terms?: TlsTerms): SecureContext {
    let identity =
      clients === undefined ? site.fingerprint : `${site.fingerprint}\n${clients.fingerprint}`
    if (terms !== undefined) identity += `\n${JSON.stringify(terms)}`
    let context = this.#contexts.get(identity)
    if (context === undefined) {
      context = this.#create(site, clients, { ...this.#options, ...terms }, identity)
      this.#contexts.set(identity, context)
    }
    return context
  }

  /**
   * New tickets are made with these 48 bytes; tickets of the keys before are still accepted and
   * renewed, older ones cost a full handshake.
   */
  setTicketKeys(ticketKeys: Buffer): void {
    this.#ticketKeys = ticketKeys
    this.#tickets.rotate(ticketKeys)
    if (this.#fixedKeys) this.#contexts.clear()
  }

  // oxlint-disable-next-line max-params -- each is a part of what the identity says
  #create(
    site: TlsSite,
    clients: ClientAuthorities | undefined,
    terms: TlsTerms,
    identity: string,
  ): SecureContext {
    const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3', ciphers = defaultCiphers } = terms
    const context = createSecureContext({
      cert: site.certificatePem,
      key: site.keyPem,
      // None given would load everything that Node trusts.
      ca: clients?.caPem ?? [],
      ...(clients !== undefined && clients.crlPem !== '' && { crl: splitLists(clients.crlPem) }),
      ciphers,
      minVersion,
      maxVersion,
      secureOptions: flagsOf(clients, terms),
      ...(/(?:^|:)DHE-/.test(ciphers) && { dhparam: 'auto' }),
      sessionIdContext: createHash('sha256')
        .update(identity)
        .digest('hex')
        .slice(0, sessionContextChars),
      sessionTimeout: sessionTimeoutSeconds,
      ticketKeys: this.#ticketKeys,
    })
    this.#fixedKeys = !this.#tickets.attach(context)
    return context
  }
}

function flagsOf(
  clients: ClientAuthorities | undefined,
  { preferServerOrder = true }: TlsTerms,
): number {
  let flags: number = constants.SSL_OP_NO_RENEGOTIATION
  if (preferServerOrder) flags |= serverOrderFlags
  return clients === undefined ? flags : flags | constants.SSL_OP_NO_TICKET
}

import { constants, createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { checkServerIdentity, createSecureContext } from 'node:tls'
import type { DetailedPeerCertificate, SecureContext } from 'node:tls'
import { BoundedMap } from './bounded-map.ts'
import { chainDepth } from './peer-chain.ts'
import type { UpstreamTls } from './transport.ts'

const contextsMax = 1024
/** Sessions kept in all, one for each context and target: about 2 KB each. */
const sessionsMax = 4096

/** TLS towards upstreams with one set of options: made once, used by all their connections. */
export interface UpstreamContext {
  readonly options: UpstreamTls
  readonly context: SecureContext
  /** '' sends none: RFC 6066 3 allows no addresses. */
  readonly sni: string
  readonly sessions: Sessions
}

/** The sessions of one context that can be resumed, by target. */
export interface Sessions {
  get(target: string): Buffer | undefined
  set(target: string, session: Buffer): void
  delete(target: string): void
}

/** What the handshake with an upstream gave. */
export interface UpstreamHandshake {
  readonly resumed: boolean
  /** What OpenSSL says of the chain; '' when it is good. */
  readonly chainError: string
  readonly certificate: DetailedPeerCertificate
}

/** The contexts of one worker, by content: a table that is sent again costs none anew. */
export class UpstreamContexts {
  readonly #byObject = new WeakMap<UpstreamTls, UpstreamContext>()
  readonly #byContent = new BoundedMap<string, UpstreamContext>(contextsMax)
  readonly #sessions = new BoundedMap<string, Buffer>(sessionsMax)

  /** Throws when certificate, key, CA or ciphers cannot be used. */
  get(options: UpstreamTls): UpstreamContext {
    let context = this.#byObject.get(options)
    if (context !== undefined) return context
    const content = contentOf(options)
    context = this.#byContent.get(content)
    if (context === undefined) {
      context = createContext(options, this.#sessionsOf(content))
      this.#byContent.set(content, context)
    }
    this.#byObject.set(options, context)
    return context
  }

  #sessionsOf(content: string): Sessions {
    const sessions = this.#sessions
    return {
      get: (target) => sessions.get(`${content} ${target}`),
      set: (target, session) => {
        sessions.set(`${content} ${target}`, session)
      },
      delete: (target) => {
        sessions.delete(`${content} ${target}`)
      },
    }
  }
}

/** Why the upstream is not to be trusted; '' when it is, or when nobody asks. */
export function upstreamProblem(options: UpstreamTls, handshake: UpstreamHandshake): string {
  const { verify, verifyDepth, serverName } = options
  if (!verify) return ''
  if (handshake.chainError !== '') return handshake.chainError
  // A session is kept only after these checks, for the same CA and the same name.
  if (handshake.resumed) return ''
  const depth = chainDepth(handshake.certificate)
  if (verifyDepth > 0 && depth > verifyDepth) return `certificate chain too long (${depth})`
  if (serverName === '') return ''
  return checkServerIdentity(serverName, handshake.certificate)?.message ?? ''
}

function createContext(options: UpstreamTls, sessions: Sessions): UpstreamContext {
  const { ca, verify, certificate, key, ciphers, minVersion, maxVersion } = options
  const { serverName, sendServerName } = options
  const context = createSecureContext({
    // Without verification no CA is needed; none given would load all that the system trusts.
    ...(verify && ca === '' ? {} : { ca: ca === '' ? [] : ca }),
    ...(certificate === '' ? {} : { cert: certificate, key }),
    ...(ciphers === '' ? {} : { ciphers }),
    minVersion,
    maxVersion,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  })
  const sni = sendServerName && isIP(serverName) === 0 ? serverName : ''
  return { options, context, sni, sessions }
}

function contentOf(options: UpstreamTls): string {
  const { serverName, verify, verifyDepth, ca, certificate, key } = options
  const { ciphers, minVersion, maxVersion, alpn, sendServerName } = options
  const identity = [serverName, sendServerName, verify, verifyDepth, ca, certificate, key]
  const content = JSON.stringify([identity, ciphers, minVersion, maxVersion, alpn])
  return createHash('sha256').update(content).digest('base64')
}

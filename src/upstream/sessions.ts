import { createHash, createHmac } from 'node:crypto'
import { SessionCookies } from '#algorithms/balance/keyed/session-cookies.ts'
import { sessionKeyMax } from '#algorithms/balance/keyed/sticky-balanced.ts'
import type { LiveEndpoint } from './live-endpoint.ts'

/**
 * The key under which cookies are made. All replicas must read each other's cookies, and those of
 * before a restart: so it comes from --session-key-file, the same for all, or else is no secret. Then
 * what makes a value hard to guess is the UID of the Pod in it; and to guess one brings no more than
 * the choice of an endpoint.
 */
export function sessionSecret(key: string): Buffer {
  return createHash('sha256').update('headgate session cookies').update(key).digest()
}

const publicSecret = sessionSecret('')

/** Characters that name the backend. */
const backendLength = 11

/**
 * Values of session cookies of one backend: what names the endpoint, or the key of a session, a dot, and
 * what names the backend. The latter keeps a user on the same side of a canary when the endpoint is gone.
 */
export class BackendSessions {
  readonly #key: string
  readonly #suffix: string
  readonly #cookies: SessionCookies

  constructor(key: string, secret: Uint8Array = publicSecret) {
    this.#cookies = new SessionCookies(secret)
    this.#key = key
    const mac = createHmac('sha256', secret).update(key).digest('base64url')
    this.#suffix = `.${mac.slice(0, backendLength)}`
  }

  /** The set changed. `identities` is parallel to `endpoints`. */
  rebuild(endpoints: readonly LiveEndpoint[], identities: Uint32Array): void {
    this.#cookies.rebuild(
      endpoints.map(({ address, port, uid }, i) => ({
        name: JSON.stringify([this.#key, address, port, uid]),
        identity: identities[i] ?? 0,
      })),
    )
  }

  /** The session is this backend's, whether or not its endpoint is still there. */
  owns(value: string): boolean {
    return value.endsWith(this.#suffix)
  }

  /**
   * The key of a pick: the identity of the session's endpoint, or what the session itself is known by.
   * 0: there is none.
   */
  keyOf(value: string, known: 'endpoint' | 'key'): number {
    if (!this.owns(value)) return 0
    const text = value.slice(0, -this.#suffix.length)
    return known === 'endpoint' ? this.#cookies.keyOf(text) : keyOfText(text)
  }

  /** The value that names the endpoint with this index. */
  valueAt(index: number): string {
    return this.#cookies.valueAt(index) + this.#suffix
  }

  /** The value that holds the key of a session, '' for none (0). */
  valueOf(key: number): string {
    return key === 0 ? '' : key.toString(36) + this.#suffix
  }
}

/** 2^31 - 1 in base 36 has so many digits. */
const keyLengthMax = 6

function keyOfText(text: string): number {
  if (text.length > keyLengthMax) return 0
  const key = Number.parseInt(text, 36)
  return key > 0 && key <= sessionKeyMax && key.toString(36) === text ? key : 0
}

import { createHmac } from 'node:crypto'

/** Characters of a value: 128 bits of the HMAC in base64url. */
const valueLength = 22

/** An endpoint as cookies name it. */
export interface SessionEndpoint {
  /** Text that no other endpoint ever has, such as backend, address, port and UID. */
  readonly name: string
  /** The endpoint's `identity` in the columns. */
  readonly identity: number
}

/**
 * Cookie values that bind sessions to endpoints: the HMAC-SHA256 of an endpoint's name.
 *
 * A value tells nothing about the endpoint, and nobody without the secret can make one. All
 * replicas with the same secret understand each other's values. HMACs are made when the set
 * changes, and never in a pick: a request costs one look-up. Unknown values (forged, or of an
 * endpoint that is gone) mean a new session.
 */
export class SessionCookies {
  readonly #secret: Uint8Array
  readonly #identities = new Map<string, number>()
  #values: string[] = []

  /** `secret`: 32 random bytes or more. */
  constructor(secret: Uint8Array) {
    this.#secret = secret
  }

  /** The set changed; `endpoints` in the order of the columns. */
  rebuild(endpoints: readonly SessionEndpoint[]): void {
    this.#identities.clear()
    this.#values = endpoints.map(({ name, identity }) => {
      const value = this.#valueOf(name)
      this.#identities.set(value, identity)
      return value
    })
  }

  /** `key` for the pick: the identity of the session's endpoint, 0 when there is none. */
  keyOf(value: string): number {
    return this.#identities.get(value) ?? 0
  }

  /** The cookie value for sessions of the endpoint with this index. */
  valueAt(index: number): string {
    return this.#values[index] ?? ''
  }

  #valueOf(name: string): string {
    const mac = createHmac('sha256', this.#secret).update(name)
    return mac.digest('base64url').slice(0, valueLength)
  }
}

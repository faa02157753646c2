import { randomBytes } from 'node:crypto'

/** Bytes of TLS session ticket keys as Node takes them: name, HMAC key, AES key. */
const keyBytes = 48
const lifeMs = 4 * 3_600_000

export interface TicketKeysOptions {
  readonly onRotated: (keys: Uint8Array) => void
  /** In [0, 1): replicas must not make all clients shake hands anew at the same time. */
  readonly random: () => number
  /** Calls back once after `delayMs`; the result takes the call back. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void
}

/**
 * The keys under which TLS sessions are resumed, the same in every worker. Made anew every four to six
 * hours, so that a stolen key opens few sessions (RFC 8446 appendix C.4, RFC 5077 5.5).
 */
export class TicketKeys {
  #current: Uint8Array = randomBytes(keyBytes)
  readonly #options: TicketKeysOptions
  #cancel: (() => void) | undefined

  constructor(options: TicketKeysOptions) {
    this.#options = options
  }

  get current(): Uint8Array {
    return this.#current
  }

  start(): void {
    const { random, schedule, onRotated } = this.#options
    this.#cancel = schedule(
      () => {
        this.#current = randomBytes(keyBytes)
        onRotated(this.#current)
        this.start()
      },
      lifeMs * (1 + random() / 2),
    )
  }

  stop(): void {
    this.#cancel?.()
  }
}

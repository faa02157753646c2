import { randomFillSync } from 'node:crypto'
import type { SecureContext } from 'node:tls'

/** One set of ticket keys: 16 bytes each of name, HMAC key and AES key, as in Node's `ticketKeys`. */
interface Keys {
  readonly name: Buffer
  readonly hmac: Buffer
  readonly aes: Buffer
}

const keyBytes = 16
/** Initialization vectors, as many as are made at once: asking for random bytes costs more than the bytes. */
const vectorsBytes = 256 * keyBytes
const noBytes = Buffer.alloc(0)

/** Results of the callback, see OpenSSL's SSL_CTX_set_tlsext_ticket_key_cb. */
const unknownTicket = 0
const encryptIt = 1
/** The ticket is good, and the client gets a new one: without it a client that uses each ticket once runs out. */
const acceptAndRenew = 2

/** What OpenSSL asks for, by way of the context's native part. */
interface NativeContext {
  enableTicketKeyCallback?(): void
  onticketkeycallback?: (name: Buffer, iv: Buffer, encrypts: boolean) => unknown[]
}

/**
 * Ticket keys with a predecessor that is still accepted, and tickets that are renewed when they are
 * used. Node documents neither; where its hook is missing, `attach` says so and plain ticket keys must do.
 */
export class TicketKeys {
  #current: Keys
  #previous: Keys | undefined
  /** Random bytes, unused from here on. */
  #vectors = noBytes
  #vectorsUsed = 0

  /** 48 bytes, as for `rotate`. */
  constructor(keys: Buffer) {
    this.#current = split(keys)
  }

  /** New tickets use these keys; tickets of the keys before are accepted, older ones are not. */
  rotate(keys: Buffer): void {
    this.#previous = this.#current
    this.#current = split(keys)
  }

  /** Makes a context ask here for its keys. False: this Node has no such hook. */
  attach(context: SecureContext): boolean {
    const native = context.context as NativeContext | undefined
    if (native?.enableTicketKeyCallback === undefined) return false
    native.onticketkeycallback = (name, _iv, encrypts) =>
      encrypts ? this.#forNewTicket() : this.#forTicket(name)
    native.enableTicketKeyCallback()
    return true
  }

  #forNewTicket(): unknown[] {
    const { name, hmac, aes } = this.#current
    return [encryptIt, hmac, aes, name, this.#vector()]
  }

  /** Never the same twice. */
  #vector(): Buffer {
    if (this.#vectorsUsed === this.#vectors.length) {
      this.#vectors = randomFillSync(Buffer.allocUnsafeSlow(vectorsBytes))
      this.#vectorsUsed = 0
    }
    const start = this.#vectorsUsed
    this.#vectorsUsed += keyBytes
    return this.#vectors.subarray(start, this.#vectorsUsed)
  }

  #forTicket(name: Buffer): unknown[] {
    for (const keys of [this.#current, this.#previous]) {
      if (keys !== undefined && keys.name.equals(name)) return [acceptAndRenew, keys.hmac, keys.aes]
    }
    return [unknownTicket, noBytes, this.#current.aes]
  }
}

function split(keys: Buffer): Keys {
  if (keys.length !== 3 * keyBytes) throw new Error(`ticket keys are 48 bytes, not ${keys.length}`)
  const copy = Buffer.from(keys)
  return {
    name: copy.subarray(0, keyBytes),
    hmac: copy.subarray(keyBytes, 2 * keyBytes),
    aes: copy.subarray(2 * keyBytes),
  }
}

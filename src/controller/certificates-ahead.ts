import { hash } from 'node:crypto'
import type { CertificateReading, ReadCertificate } from '#src/compile/settings.ts'
import type { AnyObject, Secret } from '#src/snapshot/objects.ts'

export interface CertificatesAheadOptions {
  readonly read: ReadCertificate
  /** Milliseconds, of a clock that only rises. */
  readonly now: () => number
  /** Resolves when whatever else was due has had its turn. */
  readonly rest: () => Promise<void>
}

/** After so long others have a turn: watches, the lease, heartbeats. */
const sliceMs = 20
/** Past it the compiler reads for itself. What is here is no more than what the sources hold. */
const aheadMax = 50_000

/**
 * Reads certificates as they come, in slices between the turns of the event loop, so that compilations, which
 * are of one piece, find them read: a few thousand at a start would hold up everything else.
 * A reading depends on the two texts alone, so the table is the same with and without.
 */
export class CertificatesAhead {
  readonly #options: CertificatesAheadOptions
  readonly #due = new Map<string, Secret>()
  /** By the hash of both texts. */
  readonly #readings = new Map<string, CertificateReading>()
  #working: Promise<void> | undefined

  constructor(options: CertificatesAheadOptions) {
    this.#options = options
  }

  /** For the compiler: what is not read ahead is read now. */
  readonly read: ReadCertificate = (certificatePem, keyPem) => {
    const known =
      this.#readings.size === 0 ? undefined : this.#readings.get(identityOf(certificatePem, keyPem))
    return known ?? this.#options.read(certificatePem, keyPem)
  }

  /** Something is to be read still. */
  get pending(): boolean {
    return this.#working !== undefined
  }

  /** Reads those that are certificates from the next turn on. */
  add(objects: readonly AnyObject[]): void {
    for (const object of objects) {
      if (object.kind !== 'Secret' || this.#due.size >= aheadMax) continue
      const { data, metadata } = object
      if (!hasText(data['tls.crt']) || !hasText(data['tls.key'])) continue
      this.#due.set(`${metadata.namespace}/${metadata.name}`, object)
    }
    if (this.#due.size > 0) this.#working ??= this.#work()
  }

  /** Resolves once nothing is pending. */
  async done(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  /** The compiler has read, and keeps, whatever it needs. */
  forget(): void {
    this.#due.clear()
    this.#readings.clear()
  }

  async #work(): Promise<void> {
    const { now, rest } = this.#options
    while (this.#due.size > 0) {
      await rest()
      const endsAt = now() + sliceMs
      for (const [key, secret] of this.#due) {
        this.#due.delete(key)
        this.#readAhead(secret)
        if (now() >= endsAt) break
      }
    }
    this.#working = undefined
  }

  #readAhead({ data }: Secret): void {
    const certificatePem = data['tls.crt'] ?? ''
    const keyPem = data['tls.key'] ?? ''
    const identity = identityOf(certificatePem, keyPem)
    if (this.#readings.has(identity) || this.#readings.size >= aheadMax) return
    try {
      this.#readings.set(identity, this.#options.read(certificatePem, keyPem))
    } catch {
      // A fault of ours is the compiler's to meet, where it is logged.
    }
  }
}

function hasText(text: string | undefined): boolean {
  return text !== undefined && text !== ''
}

/** The length keeps the texts apart, whatever is in them. */
function identityOf(certificatePem: string, keyPem: string): string {
  return hash('sha256', `${certificatePem.length} ${certificatePem}${keyPem}`)
}

import type { Secret } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { localCluster, tupleKey } from '#src/table/keys.ts'
import type { Authorities } from '#src/table/table.ts'
import { originOf } from './findings.ts'
import { Memo } from './memo.ts'
import type { ObjectName, ReadAuthorities } from './settings.ts'

/** A Secret as CA certificates, or why it is none. One object while the Secret stays the same. */
export type AuthoritiesLookup =
  { readonly authorities: Authorities } | { readonly missing: boolean; readonly problem: string }

/** The CA certificates of a snapshot, each checked once while its Secret stays the same. */
export class ClientAuthorities {
  readonly #memo = new Memo<AuthoritiesLookup>()
  readonly #read: ReadAuthorities
  #snapshot: Snapshot | undefined

  constructor(read: ReadAuthorities) {
    this.#read = read
  }

  /** Later lookups are answered from this snapshot. */
  use(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  find({ namespace, name }: ObjectName): AuthoritiesLookup {
    const secret = this.#snapshot?.get('Secret', namespace, name)
    if (secret !== undefined) {
      return this.#memo.get(secret, [], () => readSecret(secret, this.#read))
    }
    const problem = `Secret ${namespace}/${name} does not exist`
    return this.#memo.get(problem, [], () => ({ missing: true, problem }))
  }

  /** Forgets the Secrets that nobody asked for since the last time. */
  sweep(): void {
    this.#memo.sweep()
    this.#snapshot = undefined
  }
}

function readSecret(secret: Secret, read: ReadAuthorities): AuthoritiesLookup {
  const { data, metadata } = secret
  const shown = `Secret ${metadata.namespace}/${metadata.name}`
  const ca = data['ca.crt'] ?? ''
  if (ca === '') return { missing: false, problem: `${shown} has no ca.crt` }
  const reading = read(ca, data['ca.crl'] ?? '')
  if (!reading.ok) return { missing: false, problem: `${shown}: ${reading.error}` }
  const { caPem, crlPem, fingerprint } = reading
  const key = tupleKey('authorities', localCluster, metadata.namespace, metadata.name)
  return { authorities: { key, origin: originOf(secret), caPem, crlPem, fingerprint } }
}

import type { KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { Unreadable } from './pem.ts'

/** What a site would be served with. */
export interface Tried {
  /** Leaf first. */
  readonly chain: readonly X509Certificate[]
  readonly key: KeyObject
  readonly certificatePem: string
  readonly keyPem: string
}

/** Kinds that OpenSSL has taken; certificates of the public authorities are of a dozen. */
const taken = new Set<string>()
const takenMax = 1000

/**
 * OpenSSL has the last word, on the strength of keys and signatures among other things. It judges them by
 * their kind, and asking costs more than all the rest of reading a certificate: of each kind that it
 * takes, it is asked once. Throws `Unreadable`.
 */
export function tryOut({ chain, key, certificatePem, keyPem }: Tried): void {
  const kind = kindOf(chain, key)
  if (kind !== undefined && taken.has(kind)) return
  try {
    createSecureContext({ cert: certificatePem, key: keyPem, ca: [] })
  } catch (error) {
    const { reason } = error as { readonly reason?: string }
    throw new Unreadable(`the certificate cannot be used: ${reason ?? 'refused by OpenSSL'}`)
  }
  if (kind !== undefined && taken.size < takenMax) taken.add(kind)
}

/** All that OpenSSL's judgement depends on; undefined where it may depend on something else. */
function kindOf(chain: readonly X509Certificate[], key: KeyObject): string | undefined {
  let kind = ''
  for (const [i, certificate] of chain.entries()) {
    const signature = certificate.signatureAlgorithm ?? ''
    // Signatures by weaker hashes pass where a certificate is signed by itself.
    if (!/SHA(?:256|384|512)/i.test(signature)) return undefined
    const strength = strengthOf(i === 0 ? key : certificate.publicKey)
    if (strength === undefined) return undefined
    kind += `${strength} ${signature}\n`
  }
  return kind
}

function strengthOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {}
  if (asymmetricKeyType === 'rsa' && modulusLength !== undefined) return `rsa ${modulusLength}`
  if (asymmetricKeyType === 'ec' && namedCurve !== undefined) return `ec ${namedCurve}`
  return undefined
}

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Characters that the text of a key must have at least. */
export const keyLengthMin = 16

const algorithm = 'aes-256-gcm'
const nonceLength = 12
const tagLength = 16
const saltLength = 16

/**
 * Seals texts for one file, or opens them: AES-256-GCM with a key that HKDF-SHA-256 derives from the
 * user's text and a salt of the file. The place of a text is authenticated, so that sealed texts cannot
 * change places.
 */
export interface Sealer {
  /** Goes into the file in the clear, base64. */
  readonly salt: string
  /** Tells whether a file was sealed with this key, and nothing else about it. */
  readonly keyId: string
  /** Base64 of nonce, ciphertext and tag. */
  seal(text: string, place: string): string
  /** Undefined: changed, moved, or sealed with another key. */
  open(sealed: string, place: string): string | undefined
}

/** A sealer for a new file, or for the one that has this salt. */
export function createSealer(
  key: string,
  salt = randomBytes(saltLength).toString('base64'),
): Sealer {
  const derived = Buffer.from(
    hkdfSync('sha256', key, Buffer.from(salt, 'base64'), 'headgate state', 32),
  )
  const keyId = createHmac('sha256', derived).update('id').digest('base64').slice(0, 16)
  return {
    salt,
    keyId,
    seal: (text, place) => {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv(algorithm, derived, nonce).setAAD(Buffer.from(place))
      const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
      return Buffer.concat(sealed).toString('base64')
    },
    open: (sealed, place) => open(derived, Buffer.from(sealed, 'base64'), place),
  }
}

function open(key: Buffer, bytes: Buffer, place: string): string | undefined {
  if (bytes.length < nonceLength + tagLength) return undefined
  const end = bytes.length - tagLength
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceLength))
  decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(end))
  try {
    const text = decipher.update(bytes.subarray(nonceLength, end))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

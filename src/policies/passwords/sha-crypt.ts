import { createHash } from 'node:crypto'
import { encode24 } from './crypt64.ts'

type Algorithm = 'sha256' | 'sha512'

/**
 * SHA-crypt (`$5$` SHA-256, `$6$` SHA-512): the hash of a password, without magic, rounds and salt.
 * Source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512"; the letters of its steps are noted.
 */
export function shaCrypt(
  algorithm: Algorithm,
  password: Buffer,
  salt: string,
  rounds: number,
): string {
  const saltBytes = Buffer.from(salt, 'latin1')
  const size = algorithm === 'sha256' ? 32 : 64
  const alternate = digest(algorithm, [password, saltBytes, password])
  const parts: Buffer[] = [password, saltBytes, stretched(alternate, password.length)]
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push((bits & 1) === 1 ? alternate : password)
  }
  let final = digest(algorithm, parts)
  // Steps 13 to 20: the password and the salt, each as long as it is, out of digests of repetitions.
  const repeated = digest(algorithm, Array<Buffer>(password.length).fill(password))
  const passwordSequence = stretched(repeated, password.length)
  const times = 16 + (final[0] as number)
  const saltDigest = digest(algorithm, Array<Buffer>(times).fill(saltBytes))
  const saltSequence = stretched(saltDigest, saltBytes.length)
  for (let round = 0; round < rounds; round++) {
    const odd = (round & 1) === 1
    const turn = [odd ? passwordSequence : final]
    if (round % 3 !== 0) turn.push(saltSequence)
    if (round % 7 !== 0) turn.push(passwordSequence)
    turn.push(odd ? final : passwordSequence)
    final = digest(algorithm, turn)
  }
  return written(final, size)
}

/** Step 22: groups of three bytes that rotate, then what is left. */
function written(final: Buffer, size: number): string {
  const third = Math.floor(size / 3)
  const order: [number, number, number][] = []
  for (let i = 0; i < third; i++) {
    const group: [number, number, number] = [i, i + third, i + 2 * third]
    const turns = size === 32 ? (i * 2) % 3 : i % 3
    for (let turn = 0; turn < turns; turn++) group.push(group.shift() as number)
    order.push(group)
  }
  const text = encode24(final, order)
  if (size === 32) return text + encode24(final, [[-1, 31, 30]]).slice(0, 3)
  return text + encode24(final, [[-1, -1, 63]]).slice(0, 2)
}

function stretched(bytes: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length)
  for (let at = 0; at < length; at += bytes.length) bytes.copy(result, at)
  return result
}

function digest(algorithm: Algorithm, parts: readonly Buffer[]): Buffer {
  const hash = createHash(algorithm)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

import { createHash } from 'node:crypto'
import { encode24 } from './crypt64.ts'

const rounds = 1000

/**
 * MD5-crypt as `htpasswd -m` (magic `$apr1$`) and crypt(3) (`$1$`) write it: the hash of a password
 * with this salt, without magic and salt.
 */
export function md5Crypt(password: Buffer, salt: string, magic: string): string {
  const saltBytes = Buffer.from(salt, 'latin1')
  const alternate = md5([password, saltBytes, password])
  const parts: Buffer[] = [password, Buffer.from(magic, 'latin1'), saltBytes]
  for (let left = password.length; left > 0; left -= 16) parts.push(alternate.subarray(0, left))
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push((bits & 1) === 1 ? Buffer.of(0) : password.subarray(0, 1))
  }
  let final = md5(parts)
  for (let round = 0; round < rounds; round++) {
    const odd = (round & 1) === 1
    const turn = [odd ? password : final]
    if (round % 3 !== 0) turn.push(saltBytes)
    if (round % 7 !== 0) turn.push(password)
    turn.push(odd ? final : password)
    final = md5(turn)
  }
  return encode24(final, order) + encode24(final, [[-1, -1, 11]]).slice(0, 2)
}

/** Bytes in the order in which they are written out, most significant first. */
const order = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const

function md5(parts: readonly Buffer[]): Buffer {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

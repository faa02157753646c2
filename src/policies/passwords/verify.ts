import { createHash, timingSafeEqual } from 'node:crypto'
import { compare } from 'bcryptjs'
import { md5Crypt } from './md5-crypt.ts'
import { shaCrypt } from './sha-crypt.ts'

/** Work that one check may cost: bcrypt's doublings, and SHA-crypt's rounds (crypt(3)'s default is 5000). */
const bcryptCostMax = 12
const shaRoundsMax = 20_000
const shaRoundsDefault = 5000

/** bcrypt reads no further. */
const passwordBytesMax = 512

const bcryptForm = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const md5Form = /^(\$apr1\$|\$1\$)([^$]{0,8})\$([./A-Za-z0-9]{22})$/
const shaForm =
  /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})$/

/** Why a user's hash lets nobody in; undefined: it can be checked. Never quotes it. */
export function hashProblem(hash: string): string | undefined {
  const bcrypt = bcryptForm.exec(hash)
  if (bcrypt !== null) {
    return Number(bcrypt[1]) > bcryptCostMax
      ? `has a bcrypt cost above ${bcryptCostMax}`
      : undefined
  }
  const sha = shaForm.exec(hash)
  if (sha !== null) {
    return roundsOf(sha[2]) > shaRoundsMax ? `asks for more than ${shaRoundsMax} rounds` : undefined
  }
  if (md5Form.test(hash) || /^\{(?:SHA|SSHA)\}[A-Za-z0-9+/]+=*$/.test(hash)) return undefined
  if (hash.startsWith('{PLAIN}')) return undefined
  return 'is in no format that is known here (bcrypt, apr1, SHA, SSHA, SHA-crypt, PLAIN)'
}

/** Whether a check takes so long that it must not hold up the worker. */
export function isSlow(hash: string): boolean {
  return bcryptForm.test(hash)
}

/** Checks a slow hash, a little at a time. Call back exactly once, later. */
export function verifySlowly(password: string, hash: string, done: (right: boolean) => void): void {
  // $2y$ is what htpasswd calls the corrected $2a$, which is $2b$ elsewhere.
  const known = hash.replace(/^\$2y\$/, '$2b$')
  compare(password, known, (error, right) => {
    done(error === null && right === true)
  })
}

/** Checks any other hash at once, in time that does not depend on how much of it is right. */
export function verify(password: string, hash: string): boolean {
  const bytes = Buffer.from(password, 'utf8')
  if (bytes.length > passwordBytesMax || hashProblem(hash) !== undefined) return false
  if (hash.startsWith('{PLAIN}')) return same(password, hash.slice(7))
  if (hash.startsWith('{SHA}')) return same(sha1(bytes).toString('base64'), hash.slice(5))
  if (hash.startsWith('{SSHA}')) {
    const stored = Buffer.from(hash.slice(6), 'base64')
    const computed = sha1(bytes, stored.subarray(20))
    return same(computed.toString('hex'), stored.subarray(0, 20).toString('hex'))
  }
  return verifyCrypt(bytes, hash)
}

function verifyCrypt(password: Buffer, hash: string): boolean {
  const md5 = md5Form.exec(hash)
  if (md5 !== null) {
    const [, magic = '', salt = '', stored = ''] = md5
    return same(md5Crypt(password, salt, magic), stored)
  }
  const sha = shaForm.exec(hash)
  if (sha === null) return false
  const [, kind, rounds, salt = '', stored = ''] = sha
  const algorithm = kind === '5' ? 'sha256' : 'sha512'
  return same(shaCrypt(algorithm, password, salt, roundsOf(rounds)), stored)
}

function roundsOf(written: string | undefined): number {
  return written === undefined ? shaRoundsDefault : Math.max(1000, Number(written))
}

function sha1(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Compares digests, so that neither length nor contents show in the time. */
function same(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b))
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

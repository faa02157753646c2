import { isAuthority } from '#src/exchange/authority.ts'
import { targetClass } from './characters.ts'

const SLASH = 0x2f

/** The parts of a request target. One object serves a thread. */
export interface TargetParts {
  /** Path and query (origin-form), or `*`. */
  target: string
  /** What the target itself said; '' unless it was in absolute-form. */
  authority: string
}

/**
 * Takes a target apart (RFC 9112 3.2): origin-form as it is, absolute-form of http and https as
 * authority and origin-form, `*` for OPTIONS. False: anything else, userinfo included.
 */
export function readTarget(text: string, method: string, parts: TargetParts): boolean {
  parts.authority = ''
  parts.target = text
  if (text.charCodeAt(0) === SLASH) return true
  if (text === '*') return method === 'OPTIONS'
  const start = authorityStart(text)
  if (start < 0) return false
  let end = start
  while (end < text.length && !endsAuthority(text.charCodeAt(end))) end++
  parts.authority = text.slice(start, end)
  parts.target = originForm(text.slice(end), method)
  return isAuthority(parts.authority)
}

function authorityStart(text: string): number {
  const scheme = text.slice(0, 8).toLowerCase()
  if (scheme.startsWith('http://')) return 7
  return scheme === 'https://' ? 8 : -1
}

function endsAuthority(code: number): boolean {
  return code === SLASH || code === 0x3f
}

function originForm(rest: string, method: string): string {
  // RFC 9112 3.2.4: OPTIONS without a path is about the server as a whole.
  if (rest === '') return method === 'OPTIONS' ? '*' : '/'
  return rest.charCodeAt(0) === SLASH ? rest : `/${rest}`
}

/**
 * The target with every character escaped that may not stand in one. Targets that were read from a
 * request need none; rules that make targets out of what clients send may let one slip, and it must
 * not become another request.
 */
export function sendableTarget(target: string): string {
  for (let i = 0; i < target.length; i++) {
    if ((targetClass[target.charCodeAt(i)] ?? 0) === 0) return escapeTarget(target)
  }
  return target
}

function escapeTarget(target: string): string {
  let escaped = ''
  for (const byte of Buffer.from(target, 'latin1')) {
    const allowed = targetClass[byte] !== 0
    escaped += allowed ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`
  }
  return escaped
}

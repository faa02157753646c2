import { isIPv6 } from 'node:net'

const DOT = 0x2e
const COLON = 0x3a
const portMax = 65535

/** 1 for the characters of host names in use: letters, digits, `-`, `.`, `_`, `~`. */
const hostClass = new Uint8Array(256)
for (const letter of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~') {
  hostClass[letter.charCodeAt(0)] = 1
}

/**
 * Whether the text is a host with an optional port (RFC 9110 7.2, RFC 3986 3.2.2), as tight as
 * hosts in use allow: letters, digits and `-._~`, no empty label but a last one, or an IPv6 address
 * in brackets. Percent escapes and sub-delimiters are in the grammar, but no host that could be
 * routed has them, and they are read in two ways further on. `host:` without digits is in the
 * grammar and passes. Userinfo is refused (RFC 9113 8.3.1).
 */
export function isAuthority(text: string): boolean {
  if (text.charCodeAt(0) === 0x5b) return isBracketedAuthority(text)
  let end = 0
  let previous = DOT
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === COLON) break
    if (hostClass[code] !== 1 || (code === DOT && previous === DOT)) return false
    previous = code
  }
  return end > 0 && isPortAt(text, end)
}

function isBracketedAuthority(text: string): boolean {
  const end = text.indexOf(']')
  if (end < 0) return false
  const address = text.slice(1, end)
  // A zone (RFC 6874) means something on one machine only.
  return !address.includes('%') && isIPv6(address) && isPortAt(text, end + 1)
}

/** Whether the rest is nothing, or a colon and up to five digits of a port number. */
function isPortAt(text: string, colon: number): boolean {
  if (colon === text.length) return true
  if (text.charCodeAt(colon) !== COLON) return false
  let port = 0
  for (let i = colon + 1; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
    if (port > portMax) return false
  }
  return port > 0 || colon + 1 === text.length
}

import { isIP } from 'node:net'
import type { ValueType } from './types.ts'

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?'
const subdomain = new RegExp(`^${label}(?:\\.${label})*$`)

/** A DNS name as Kubernetes means it (RFC 1123 subdomain), lower case. IP addresses are not names. */
export function isDnsName(text: string): boolean {
  return text.length <= 253 && subdomain.test(text) && isIP(text) === 0
}

/** A DNS name, or `*.` and a DNS name. */
export function isHostPattern(text: string): boolean {
  return isDnsName(text.startsWith('*.') ? text.slice(2) : text)
}

/** Whether a pattern covers a host: equal, or `*.` for exactly one label. */
export function covers(pattern: string, host: string): boolean {
  if (pattern === host) return true
  if (!pattern.startsWith('*.')) return false
  const dot = host.indexOf('.')
  return dot > 0 && host.slice(dot) === pattern.slice(1)
}

/** A DNS name in any case; lower case once read. */
export const hostname: ValueType<string> = {
  expects: 'a DNS name such as shop.example.com',
  schema: { pattern: '^[-.A-Za-z0-9]+$' },
  parse(text) {
    const name = text.toLowerCase()
    return isDnsName(name) ? name : undefined
  },
  format: (name) => name,
}

/** An absolute http or https URL, kept as written. */
export const url: ValueType<string> = {
  expects: 'a URL such as https://www.example.com/path',
  schema: { pattern: '^https?://\\S+$' },
  parse(text) {
    if (!/^https?:\/\/[!-~]+$/i.test(text)) return undefined
    return URL.canParse(text) ? text : undefined
  },
  format: (text) => text,
}

/** The name of a header field (RFC 9110 5.1). */
export const fieldName: ValueType<string> = {
  expects: 'the name of a header field',
  schema: { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" },
  parse: (text) => (/^[!#$%&'*+.^_`|~0-9A-Z-]{1,256}$/i.test(text) ? text : undefined),
  format: (name) => name,
}

/** The path of a URL, without query. */
export const path: ValueType<string> = {
  expects: 'a path that begins with /',
  schema: { pattern: '^/[^?#\\s]*$' },
  parse: (text) => (/^\/[^?#\s]*$/.test(text) ? text : undefined),
  format: (text) => text,
}

/** What a request of our own asks for: a path with or without query. */
export const requestTarget: ValueType<string> = {
  expects: 'a path that begins with /, escaped where it is not ASCII',
  schema: { pattern: '^/[!-~]*$' },
  parse: (text) => (/^\/[!-~]{0,1023}$/.test(text) && !text.includes('#') ? text : undefined),
  format: (text) => text,
}

/** An address or a range of addresses: 10.0.0.0/8, 2001:db8::/32, 192.0.2.1. */
export const cidr: ValueType<string> = {
  expects: 'an address or a CIDR such as 10.0.0.0/8',
  schema: { pattern: '^[0-9A-Fa-f:.]+(?:/\\d{1,3})?$' },
  parse(text) {
    const [address = '', bits, ...rest] = text.split('/')
    const version = address.includes('%') ? 0 : isIP(address)
    if (version === 0 || rest.length > 0) return undefined
    if (bits === undefined) return text
    return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128) ? text : undefined
  },
  format: (text) => text,
}

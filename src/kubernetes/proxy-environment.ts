import { BlockList, isIP } from 'node:net'

type Environment = Readonly<Record<string, string | undefined>>

/** Variables that say how the API server is reached, in upper case; lower case is read, too. */
const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']

/** What an environment says about proxies, by upper-case name; without what is not set. */
export function proxyVariables(environment: Environment): Readonly<Record<string, string>> {
  const pairs = names.map((name) => [name, valueOf(environment, name)] as const)
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''))
}

/**
 * The proxy that the environment names for a URL: HTTPS_PROXY or HTTP_PROXY by its scheme, unless NO_PROXY
 * covers it; '' for none. As Go's net/http/httpproxy reads them, and so kubectl: lower case counts where
 * upper case is not set, loopback is never proxied, and NO_PROXY takes names with their subdomains,
 * addresses, CIDRs (a cluster's Services are addresses), each with a port or without, and `*`.
 */
export function proxyFromEnvironment(url: string, environment: Environment): string {
  const { protocol, hostname, port } = new URL(url)
  const scheme = protocol === 'https:' ? 'HTTPS' : 'HTTP'
  const proxy = valueOf(environment, `${scheme}_PROXY`)
  if (proxy === '') return ''
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isLoopback(host)) return ''
  const target = { host, port: port || (scheme === 'HTTPS' ? '443' : '80') }
  const exceptions = valueOf(environment, 'NO_PROXY').split(',')
  if (exceptions.some((entry) => covers(entry.trim().toLowerCase(), target))) return ''
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

interface Target {
  readonly host: string
  readonly port: string
}

function valueOf(environment: Environment, name: string): string {
  return environment[name] || environment[name.toLowerCase()] || ''
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function covers(entry: string, { host, port }: Target): boolean {
  if (entry === '') return false
  if (entry === '*') return true
  if (entry.includes('/')) return isWithin(entry, host)
  const { name, port: onlyPort } = splitPort(entry)
  if (onlyPort !== '' && onlyPort !== port) return false
  if (isIP(host) !== 0)
    return isIP(name) !== 0 && isWithin(`${name}/${isIP(name) === 4 ? 32 : 128}`, host)
  const suffix = name.replace(/^\*?\./, '')
  // `.example.com` is for subdomains alone.
  return host.endsWith(`.${suffix}`) || (suffix === name && host === name)
}

function splitPort(entry: string): { readonly name: string; readonly port: string } {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(entry)
  if (bracketed !== null) return { name: bracketed[1] ?? '', port: bracketed[2] ?? '' }
  const colon = entry.indexOf(':')
  // An IPv6 address has several.
  if (colon < 0 || colon !== entry.lastIndexOf(':')) return { name: entry, port: '' }
  return { name: entry.slice(0, colon), port: entry.slice(colon + 1) }
}

function isWithin(entry: string, host: string): boolean {
  const [network = '', prefix = ''] = entry.split('/')
  const family = isIP(network)
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(prefix)) return false
  if (Number(prefix) > (family === 4 ? 32 : 128)) return false
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), type)
  return list.check(host, type)
}

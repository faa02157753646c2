import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

/** What is known of a name after one round of questions. */
export interface NameAnswer {
  readonly addresses: readonly string[]
  /** The shortest TTL among them, in seconds. */
  readonly ttlSeconds: number
  /** Why there are none. */
  readonly problem: string
}

/** Resolves one name in lower case. Never needs to be called in parallel for the same name. */
export type NameLookup = (name: string) => Promise<NameAnswer>

/** The part of `node:dns/promises` Resolver that a lookup uses. */
export interface DnsClient {
  resolve4(name: string, options: { ttl: true }): Promise<{ address: string; ttl: number }[]>
  resolve6(name: string, options: { ttl: true }): Promise<{ address: string; ttl: number }[]>
}

/** Files that name resolution reads, by path; a test gives its own. */
export interface ResolverFiles {
  /** Text of the file, '' when it cannot be read. */
  read(path: string): Promise<string>
}

export const systemFiles: ResolverFiles = {
  read: async (path) => {
    try {
      return await readFile(path, 'utf8')
    } catch {
      return ''
    }
  },
}

const hostsPath = '/etc/hosts'
const resolvPath = '/etc/resolv.conf'
/** The hosts file is read anew after this long. */
const hostsTtlSeconds = 30

/**
 * Looks a name up as the system does: the hosts file, then DNS with the search domains for names
 * with fewer dots than `ndots`. (c-ares, behind `node:dns`, reads neither for `resolve`.)
 */
export function systemLookup(dns: DnsClient, files: ResolverFiles = systemFiles): NameLookup {
  return async (name) => {
    if (isIP(name) > 0) return { addresses: [name], ttlSeconds: hostsTtlSeconds, problem: '' }
    const listed = hostsAddresses(await files.read(hostsPath), name)
    if (listed.length > 0) return { addresses: listed, ttlSeconds: hostsTtlSeconds, problem: '' }
    if (name === 'localhost') {
      return { addresses: ['127.0.0.1', '::1'], ttlSeconds: hostsTtlSeconds, problem: '' }
    }
    let answer: NameAnswer = { addresses: [], ttlSeconds: 0, problem: 'not found' }
    for (const candidate of candidates(name, await files.read(resolvPath))) {
      answer = await ask(dns, candidate)
      if (answer.addresses.length > 0) return answer
    }
    return answer
  }
}

/** Addresses that a hosts file gives for a name, in its order. */
export function hostsAddresses(text: string, name: string): string[] {
  const addresses: string[] = []
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] as string).trim().split(/\s+/)
    if (isIP(address) > 0 && names.some((entry) => entry.toLowerCase() === name)) {
      addresses.push(address)
    }
  }
  return addresses
}

/** Full names to ask for, in the order of resolv.conf(5): few dots try the search list first. */
export function candidates(name: string, resolvConf: string): string[] {
  let search: string[] = []
  let ndots = 1
  for (const line of resolvConf.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/)
    if (keyword === 'search' || keyword === 'domain') search = words.slice(0, 32)
    const option =
      keyword === 'options' ? words.find((word) => word.startsWith('ndots:')) : undefined
    if (option !== undefined) ndots = Number(option.slice(6)) || 0
  }
  const dots = name.split('.').length - 1
  const searched = search.map((domain) => `${name}.${domain.replace(/\.$/, '')}`)
  return dots >= ndots ? [name, ...searched] : [...searched, name]
}

async function ask(dns: DnsClient, name: string): Promise<NameAnswer> {
  const settled = await Promise.allSettled([
    dns.resolve4(name, { ttl: true }),
    dns.resolve6(name, { ttl: true }),
  ])
  const addresses: string[] = []
  let ttlSeconds = Infinity
  let problem = 'not found'
  for (const result of settled) {
    if (result.status === 'rejected') {
      problem = codeOf(result.reason)
      continue
    }
    for (const { address, ttl } of result.value) {
      addresses.push(address)
      ttlSeconds = Math.min(ttlSeconds, ttl)
    }
  }
  return { addresses, ttlSeconds: addresses.length === 0 ? 0 : ttlSeconds, problem }
}

function codeOf(reason: unknown): string {
  const code = (reason as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : 'failed'
}

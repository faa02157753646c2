import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

/** What is known of a name after one round of questions. */
export interface NameAnswer {
  readonly addresses: readonly string[]
  /** The shortest TTL among them, in seconds. */
  readonly ttlSeconds: number
  /** Why there are none, or not all. */
  readonly problem: string
  /** Families whose servers failed, so that nothing is known of them. Absent: none. */
  readonly failed?: readonly Family[]
}

export type Family = 4 | 6

/** Resolves one name in lower case. Never needs to be called in parallel for the same name. */
export type NameLookup = (name: string) => Promise<NameAnswer>

interface Address {
  readonly address: string
  /** In seconds. */
  readonly ttl: number
}

/** The part of `node:dns/promises` Resolver that a lookup uses. */
export interface DnsClient {
  resolve4(name: string, options: { ttl: true }): Promise<Address[]>
  resolve6(name: string, options: { ttl: true }): Promise<Address[]>
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
/** What does not come from DNS is looked up anew after this long. */
const localTtlSeconds = 30
const notFound = 'not found'

/**
 * Looks a name up as the system does: the hosts file, then DNS with the search domains for names
 * with fewer dots than `ndots`. (c-ares, behind `node:dns`, reads neither for `resolve`.) A server
 * that fails ends the search: the next domain might have somebody else of that name.
 */
export function systemLookup(dns: DnsClient, files: ResolverFiles = systemFiles): NameLookup {
  return async (name) => {
    const known = isIP(name) > 0 ? [name] : hostsAddresses(await files.read(hostsPath), name)
    if (known.length > 0) return { addresses: known, ttlSeconds: localTtlSeconds, problem: '' }
    // RFC 6761 6.3: never a question for DNS.
    if (name === 'localhost' || name.endsWith('.localhost')) {
      return { addresses: ['127.0.0.1', '::1'], ttlSeconds: localTtlSeconds, problem: '' }
    }
    let answer: NameAnswer = { addresses: [], ttlSeconds: 0, problem: notFound }
    for (const candidate of candidates(name, await files.read(resolvPath))) {
      answer = await ask(dns, candidate)
      if (answer.addresses.length > 0 || answer.failed?.length !== 0) return answer
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
  const [four, six] = await Promise.all([
    settle(dns.resolve4(name, { ttl: true })),
    settle(dns.resolve6(name, { ttl: true })),
  ])
  const failed: Family[] = []
  if (isFailure(four)) failed.push(4)
  if (isFailure(six)) failed.push(6)
  const records = [four, six].filter((result) => typeof result !== 'string').flat()
  const problem = [four, six].find(isFailure)
  return {
    addresses: records.map(({ address }) => address),
    ttlSeconds: records.length === 0 ? 0 : Math.min(...records.map(({ ttl }) => ttl)),
    problem: problem === undefined ? notFound : `${notFound} (${problem})`,
    failed,
  }
}

/** The records, or the code of the error. */
async function settle(answer: Promise<readonly Address[]>): Promise<readonly Address[] | string> {
  try {
    return await answer
  } catch (error) {
    const code = (error as { code?: unknown } | undefined)?.code
    return typeof code === 'string' ? code : 'failed'
  }
}

/** Codes that say that there is no such name, or no address of this kind, or that it is no name. */
const negative: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

function isFailure(result: readonly Address[] | string): result is string {
  return typeof result === 'string' && !negative.has(result)
}

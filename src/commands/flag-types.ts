import { isIP } from 'node:net'

/** How the text of a flag becomes a value. */
export interface FlagType<Value> {
  /** Placeholder in the help, '' for a switch. */
  readonly placeholder: string
  /** What is accepted, for the error line. */
  readonly expects: string
  /** Undefined: not accepted. */
  readonly parse: (text: string) => Value | undefined
  /** May be given more than once; the texts are joined by line ends. */
  readonly list?: true
}

/** An object in a namespace. */
export interface NamespacedName {
  readonly namespace: string
  readonly name: string
}

export const text = (placeholder: string): FlagType<string> => ({
  placeholder,
  expects: 'a text that is not empty',
  parse: (value) => (value === '' ? undefined : value),
})

export const bool: FlagType<boolean> = {
  placeholder: '',
  expects: 'true or false',
  parse: (value) => ({ true: true, false: false })[value],
}

export function integer(min: number, max: number, placeholder = 'N'): FlagType<number> {
  return {
    placeholder,
    expects: `a whole number from ${min} to ${max}`,
    parse: (value) => {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : -1
      return number >= min && number <= max ? number : undefined
    },
  }
}

export const port: FlagType<number> = integer(0, 65_535, 'PORT')

export function oneOf<Name extends string>(names: readonly Name[]): FlagType<Name> {
  return {
    placeholder: names.join('|'),
    expects: `one of ${names.join(', ')}`,
    parse: (value) => names.find((name) => name === value),
  }
}

const unitMs: Readonly<Record<string, number>> = {
  '': 1000,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}
const durationMaxMs = 30 * 24 * 3_600_000

/** Milliseconds, from seconds or units: 300, 300s, 5m, 1h30m. */
export const duration: FlagType<number> = {
  placeholder: 'DURATION',
  expects: 'a duration such as 300, 300s or 5m, of at most 30 days',
  parse: (value) => {
    if (!/^\d+(?:\.\d+)?$|^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(value)) return undefined
    let ms = 0
    for (const [, amount, unit = ''] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)?/g)) {
      ms += Number(amount) * (unitMs[unit] as number)
    }
    return ms <= durationMaxMs ? Math.round(ms) : undefined
  },
}

export const address: FlagType<string> = {
  placeholder: 'ADDRESS',
  expects: 'an IPv4 or IPv6 address',
  parse: (value) => {
    const bare = value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value
    return isIP(bare) > 0 ? bare : undefined
  },
}

/** An address, or a host name as DNS has it. */
export const addressOrName: FlagType<string> = {
  placeholder: 'ADDRESS',
  expects: 'an IPv4 or IPv6 address or a host name',
  parse: (value) => {
    const found = address.parse(value)
    if (found !== undefined) return found
    const isName = dnsName.test(value) && !value.includes('..') && !/^[\d.]+$/.test(value)
    return isName ? value : undefined
  },
}

/** Several of a kind: the flag may be repeated, and each text may hold a list with commas. */
export function listOf<Value>(type: FlagType<Value>): FlagType<readonly Value[]> {
  return {
    placeholder: type.placeholder,
    expects: type.expects,
    list: true,
    parse: (value) => {
      const values = value.split(/[,\n]/).map((part) => type.parse(part.trim()))
      return values.includes(undefined) ? undefined : (values as Value[])
    },
  }
}

const dnsName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/

export const namespacedName: FlagType<NamespacedName> = {
  placeholder: 'NAMESPACE/NAME',
  expects: 'namespace/name',
  parse: (value) => {
    const [namespace = '', name = '', ...rest] = value.split('/')
    if (rest.length > 0 || !dnsName.test(namespace) || !dnsName.test(name)) return undefined
    return { namespace, name }
  },
}

export const namespace: FlagType<string> = {
  placeholder: 'NAMESPACE',
  expects: 'the name of a namespace',
  parse: (value) => (dnsName.test(value) ? value : undefined),
}

/** Scheme, address and port of an HTTP server. */
export const origin: FlagType<URL> = {
  placeholder: 'URL',
  expects: 'http:// or https:// with an address and no path',
  parse: (value) => {
    const url = /^https?:\/\/[^/?#@\s]+\/?$/i.test(value) ? URL.parse(value) : null
    return url ?? undefined
  },
}

/** The name of an HTTP field (RFC 9110 5.1). */
export const fieldName: FlagType<string> = {
  placeholder: 'NAME',
  expects: 'the name of a header field',
  parse: (value) => (/^[-!#$%&'*+.^_`|~\w]+$/.test(value) ? value : undefined),
}

/** HTTP fields, each as `name: value`. */
export const headers: FlagType<readonly (readonly [name: string, value: string])[]> = {
  placeholder: 'NAME:VALUE',
  expects: 'name:value',
  list: true,
  parse: (value) => {
    const pairs: [string, string][] = []
    for (const line of value.split('\n')) {
      const [, name, rest] = /^([-!#$%&'*+.^_`|~\w]+):(.*)$/.exec(line) ?? []
      if (name === undefined || rest === undefined) return undefined
      pairs.push([name, rest.trim()])
    }
    return pairs
  },
}

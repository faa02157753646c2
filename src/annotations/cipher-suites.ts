import type { ValueType } from './types.ts'

/** One TLS 1.2 suite that may be served: forward secret and authenticated (AEAD). */
interface Suite {
  readonly name: string
  /** What OpenSSL's keywords for groups of suites match it by. */
  readonly groups: ReadonlySet<string>
  readonly bits: number
}

const everySuite = 'ALL COMPLEMENTOFALL DEFAULT HIGH TLSv1.2'

function suite(name: string, groups: string, bits: number): Suite {
  return { name, groups: new Set(`${everySuite} ${groups} ${name}`.split(' ')), bits }
}

const curves = 'ECDHE EECDH kECDHE kEECDH'
const fields = 'DHE EDH kDHE kEDH'
const ecdsa = 'aECDSA ECDSA'
const aes128 = 'AES AES128 AESGCM SHA256 FIPS'
const aes256 = 'AES AES256 AESGCM SHA384 FIPS'

/** In the order in which they are offered when a list names a group. */
const suites: readonly Suite[] = [
  suite('ECDHE-ECDSA-AES128-GCM-SHA256', `${curves} ${ecdsa} ${aes128}`, 128),
  suite('ECDHE-RSA-AES128-GCM-SHA256', `${curves} aRSA ${aes128}`, 128),
  suite('ECDHE-ECDSA-AES256-GCM-SHA384', `${curves} ${ecdsa} ${aes256}`, 256),
  suite('ECDHE-RSA-AES256-GCM-SHA384', `${curves} aRSA ${aes256}`, 256),
  suite('ECDHE-ECDSA-CHACHA20-POLY1305', `${curves} ${ecdsa} CHACHA20`, 256),
  suite('ECDHE-RSA-CHACHA20-POLY1305', `${curves} aRSA CHACHA20`, 256),
  suite('DHE-RSA-AES128-GCM-SHA256', `${fields} aRSA ${aes128}`, 128),
  suite('DHE-RSA-AES256-GCM-SHA384', `${fields} aRSA ${aes256}`, 256),
  suite('DHE-RSA-CHACHA20-POLY1305', `${fields} aRSA CHACHA20`, 256),
]

/** Keywords of OpenSSL that match none of them. */
const otherGroups = new Set(
  `COMPLEMENTOFDEFAULT MEDIUM LOW EXP EXPORT EXPORT40 EXPORT56 NULL eNULL aNULL ADH AECDH RSA kRSA kDHr kDHd kDH
  kECDHr kECDHe kECDH ECDH DH aDH aDSS DSS aECDH kPSK PSK kECDHEPSK kDHEPSK kRSAPSK aPSK kSRP aSRP SRP kGOST aGOST
  aGOST01 GOST89MAC GOST94 SSLv2 SSLv3 TLSv1 TLSv1.0 TLSv1.1 AESCCM AESCCM8 CAMELLIA CAMELLIA128 CAMELLIA256 ARIA
  ARIA128 ARIA256 ARIAGCM SEED IDEA RC2 RC4 DES 3DES MD5 SHA SHA1 CBC SUITEB128 SUITEB128ONLY SUITEB192`.split(
    /\s+/,
  ),
)

/** Names of suites that OpenSSL knows or knew, and that are not served. */
const otherSuite =
  /^(?:(?:ECDHE|DHE|ECDH|DH|ADH|AECDH|EDH|EXP|PSK|RSA-PSK|ECDHE-PSK|DHE-PSK|SRP|KRB5|GOST\d*)-)*(?:(?:RSA|ECDSA|DSS|anon|PSK)-)*(?:AES(?:128|256)|CAMELLIA(?:128|256)|ARIA(?:128|256)|CHACHA20|DES|3DES|RC[24]|IDEA|SEED|NULL|AES-(?:128|256))(?:-[A-Z0-9]+)*$/

/** Those of TLS 1.3 are always offered, whatever a list says, as OpenSSL has it. */
const newest = /^TLS_(?:AES_(?:128|256)_(?:GCM|CCM|CCM_8)_SHA(?:256|384)|CHACHA20_POLY1305_SHA256)$/

const lengthMax = 2048

/** What a list comes to. */
interface Reading {
  readonly names: readonly string[]
  /** Items that mean more to OpenSSL than what is served. */
  readonly beyond: readonly string[]
  readonly unknown: string | undefined
}

/**
 * A list of TLS 1.2 suites in OpenSSL's notation: names and groups between colons, `a+b` for what is in
 * both, `!` to exclude for good, `-` to take out, `+` to move to the end, `@STRENGTH` to sort. It can only
 * choose among the suites that are forward secret and authenticated.
 */
export const cipherSuites: ValueType<readonly string[]> = {
  expects:
    'a list of suites as OpenSSL reads it, with one that is forward secret and authenticated',
  schema: { pattern: '^[-A-Za-z0-9+:_!@=,. ]+$' },
  parse(text) {
    const { names, unknown } = readList(text)
    return unknown === undefined && names.length > 0 ? names : undefined
  },
  format: (names) => names.join(':'),
  explain(text) {
    const { unknown, names } = readList(text)
    if (unknown !== undefined)
      return `${JSON.stringify(unknown)} is no suite and no group of suites`
    return names.length === 0 ? 'nothing is left of it' : undefined
  },
  warn(text) {
    const { beyond } = readList(text)
    if (beyond.length === 0) return undefined
    return `of ${beyond.slice(0, 8).join(', ')}${beyond.length > 8 ? ', …' : ''} only what is forward secret and authenticated is served`
  },
}

function readList(text: string): Reading {
  if (text.length > lengthMax) return { names: [], beyond: [], unknown: text.slice(0, 20) }
  const list: List = { chosen: [], excluded: new Set(), beyond: [] }
  for (const item of text.split(/[:, ]+/)) {
    const unknown = item === '' || item.startsWith('@') ? sort(list, item) : choose(list, item)
    if (unknown !== undefined) return { names: [], beyond: [], unknown }
  }
  const { chosen, beyond } = list
  return { names: chosen.map(({ name }) => name), beyond, unknown: undefined }
}

/** A list while it is being read. */
interface List {
  chosen: Suite[]
  readonly excluded: Set<Suite>
  readonly beyond: string[]
}

/** Commands. Returns the item if it is none. */
function sort(list: List, item: string): string | undefined {
  if (item === '@STRENGTH') list.chosen = list.chosen.toSorted((a, b) => b.bits - a.bits)
  else if (item !== '' && !/^@SECLEVEL=[0-5]$/.test(item)) return item
  return undefined
}

/** Suites and groups. Returns a part that is neither. */
function choose(list: List, item: string): string | undefined {
  const operator = /^[!+-]/.exec(item)?.[0] ?? ''
  const parts = item.slice(operator.length).split('+')
  const unknown = parts.find((part) => !isKnown(part))
  if (unknown !== undefined) return unknown
  const { chosen, excluded } = list
  const meant = suites.filter(({ groups }) => parts.every((part) => groups.has(part)))
  if (operator === '') {
    if (meansMore(parts)) list.beyond.push(item)
    const added = meant.filter((one) => isAsked(one, parts) && !chosen.includes(one))
    chosen.push(...added.filter((one) => !excluded.has(one)))
    return undefined
  }
  if (operator === '!') for (const one of meant) excluded.add(one)
  const moved = operator === '+' ? chosen.filter((one) => meant.includes(one)) : []
  list.chosen = [...chosen.filter((one) => !meant.includes(one)), ...moved]
  return undefined
}

/** Finite fields cost a server a multiple (CVE-2002-20001): only who names them gets them. */
function isAsked({ name, groups }: Suite, parts: readonly string[]): boolean {
  return (
    !groups.has('DHE') || parts.some((part) => part === name || fields.split(' ').includes(part))
  )
}

function isKnown(part: string): boolean {
  return (
    suites.some(({ groups }) => groups.has(part)) ||
    otherGroups.has(part) ||
    otherSuite.test(part) ||
    newest.test(part)
  )
}

/** Whether OpenSSL would serve suites for it that are not served here. */
function meansMore(parts: readonly string[]): boolean {
  if (parts.some((part) => newest.test(part) || suites.some(({ name }) => name === part)))
    return false
  const secret = parts.some((part) => `${curves} ${fields}`.split(' ').includes(part))
  const authenticated = parts.some((part) => part === 'AESGCM' || part === 'CHACHA20')
  return !secret || !authenticated
}

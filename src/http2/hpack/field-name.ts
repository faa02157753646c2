import { fieldId, knownFields } from '#src/exchange/known-fields.ts'
import type { FieldId } from '#src/exchange/known-fields.ts'
import { isFieldName } from '../messages/syntax.ts'
import { staticTable } from './static-table.ts'

/** What a reader of messages does with a field of this name. */
export const nameRule = {
  ordinary: 0,
  /** Not a lower-case token: the message is malformed. */
  invalid: 1,
  method: 2,
  scheme: 3,
  path: 4,
  authority: 5,
  protocol: 6,
  status: 7,
  host: 8,
  contentLength: 9,
  cookie: 10,
  te: 11,
  expect: 12,
  /** Connection-specific (RFC 9113 8.2.2): the message is malformed. */
  connection: 13,
  /** Belongs to one hop of HTTP/1.1, or must not go behind a proxy: left out of requests. */
  dropped: 14,
  /** A token with underscores beside letters, digits and hyphens. */
  underscored: 15,
  /** Any other token: as above, nginx drops it unless told otherwise. */
  odd: 16,
  /** An odd name that a server behind us could take for a field that the proxy acts on. */
  alias: 17,
} as const

export type NameRule = (typeof nameRule)[keyof typeof nameRule]

/** The last of the rules for pseudo-header fields. */
export const lastPseudoRule = nameRule.status

/** A field name, classified once a thread and shared by all messages that carry it. */
export interface FieldName {
  readonly name: string
  readonly id: FieldId
  readonly rule: NameRule
  /** Index of the first entry of the static table with this name; 0: none. */
  readonly staticIndex: number
  /** Where an encoder looks for it in its cache. */
  readonly hash: number
  /** A credential: never enters a compression table (RFC 7541 7.1.3). */
  readonly secret: boolean
}

const ruleByName = new Map<string, NameRule>([
  [':method', nameRule.method],
  [':scheme', nameRule.scheme],
  [':path', nameRule.path],
  [':authority', nameRule.authority],
  [':protocol', nameRule.protocol],
  [':status', nameRule.status],
  ['host', nameRule.host],
  ['content-length', nameRule.contentLength],
  ['cookie', nameRule.cookie],
  ['te', nameRule.te],
  ['expect', nameRule.expect],
  ['connection', nameRule.connection],
  ['proxy-connection', nameRule.connection],
  ['keep-alive', nameRule.connection],
  ['transfer-encoding', nameRule.connection],
  ['upgrade', nameRule.connection],
  ['http2-settings', nameRule.dropped],
  ['proxy', nameRule.dropped],
  ['proxy-authorization', nameRule.dropped],
])

const secrets = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie'])
const staticIndexes = new Map<string, number>()
for (const [i, [name]] of staticTable.entries()) {
  if (!staticIndexes.has(name)) staticIndexes.set(name, i + 1)
}

/** Names learned from traffic are forgotten all at once when there are this many. */
const learnedMax = 1024
/** Longer names are not learned. */
const learnedBytesMax = 64

const builtIn = new Map<string, FieldName>()
for (const name of [...staticIndexes.keys(), ...knownFields, ':protocol']) {
  if (name !== '') builtIn.set(name, classify(name))
}

/** By name as received from HTTP/2, where case is part of validity. */
const received = new Map(builtIn)
/** By name in any case, as HTTP/1.1 and policies write it. */
const sent = new Map(builtIn)

function classify(name: string): FieldName {
  let hash = name.length
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return {
    name,
    id: fieldId(name),
    rule: ruleOf(name),
    staticIndex: staticIndexes.get(name) ?? 0,
    hash,
    secret: secrets.has(name),
  }
}

function ruleOf(name: string): NameRule {
  const rule = ruleByName.get(name)
  if (rule !== undefined) return rule
  if (!isFieldName(name)) return nameRule.invalid
  if (/^[a-z\d-]+$/.test(name)) return nameRule.ordinary
  // CGI and its heirs read `_`, and some also `.`, as a hyphen.
  if (fieldId(name.replaceAll(/[^a-z\d]/g, '-')) > 0) return nameRule.alias
  return /^[\w-]+$/.test(name) ? nameRule.underscored : nameRule.odd
}

/** What to do with request fields whose names are tokens but not of letters, digits and hyphens alone. */
export interface NameRules {
  /** Drop them, as nginx does; those with underscores only where they are not allowed. */
  readonly ignoreInvalidHeaders: boolean
  readonly underscoresInHeaders: boolean
}

/** Whether a field with this rule, underscored, odd or alias, stays in a request. */
export function keepsOddName(rule: NameRule, rules: NameRules): boolean {
  if (rule === nameRule.alias) return false
  return (
    !rules.ignoreInvalidHeaders || (rule === nameRule.underscored && rules.underscoresInHeaders)
  )
}

/** The classified name of a field received over HTTP/2. */
export function receivedFieldName(name: string): FieldName {
  return received.get(name) ?? learn(received, name, name)
}

/** The classified lower-case name of a field to send, whatever case it has. */
export function sentFieldName(name: string): FieldName {
  return sent.get(name) ?? learn(sent, name, name.toLowerCase())
}

function learn(names: Map<string, FieldName>, key: string, name: string): FieldName {
  const result = builtIn.get(name) ?? names.get(name) ?? classify(ownCopy(name))
  if (key.length > learnedBytesMax) return result
  if (names.size >= builtIn.size + learnedMax) {
    names.clear()
    for (const [builtInKey, value] of builtIn) names.set(builtInKey, value)
  }
  names.set(ownCopy(key), result)
  return result
}

/** Of a field: cheap, and good enough to tell values that repeat from those that do not. */
export function fieldHash(name: FieldName, value: string): number {
  const { length } = value
  let hash = Math.imul(name.hash ^ length, 0x9e3779b1)
  if (length > 0) {
    hash ^= value.charCodeAt(0) | (value.charCodeAt(length - 1) << 8)
    hash = Math.imul(hash, 0x85ebca6b)
    hash ^= value.charCodeAt(length >> 1) | (value.charCodeAt(length >> 2) << 8)
    if (length > 2)
      hash ^= (value.charCodeAt(length - 2) << 16) | (value.charCodeAt(length - 3) << 24)
    hash = Math.imul(hash, 0xc2b2ae35)
  }
  return hash ^ (hash >>> 15)
}

const scratch = Buffer.allocUnsafeSlow(16_384)

/** The same text in memory of its own: a slice would keep alive the whole head that it was cut from. */
export function ownCopy(text: string): string {
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').latin1Slice()
  return scratch.latin1Slice(0, scratch.latin1Write(text, 0))
}

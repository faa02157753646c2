import { isAuthority } from '#src/exchange/authority.ts'
import type { RepeatedField } from '#src/exchange/field-block.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { releaseRequestHead, takeRequestHead } from '#src/exchange/heads.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { fieldId, fieldMask } from '#src/exchange/known-fields.ts'
import type { FieldSink } from '../hpack/decoder.ts'
import { keepsOddName, nameRule } from '../hpack/field-name.ts'
import type { FieldName, NameRules } from '../hpack/field-name.ts'
import { appendField } from './append-field.ts'
import { isOriginForm, isToken, parseLength } from './syntax.ts'

/**
 * Why a request is not brought to the proxy. The code goes to logs and metrics, the same as for HTTP/1.1
 * where it means the same. Status 400 is malformed and so a stream error, all others are answers.
 */
export interface Refusal {
  readonly status: 200 | 400 | 405 | 417 | 431 | 501
  readonly code: string
}

const refuse = (status: Refusal['status'], code: string): Refusal => ({ status, code })

export const refusals = {
  field: refuse(400, 'malformed-field'),
  pseudo: refuse(400, 'malformed-pseudo-header'),
  requestLine: refuse(400, 'malformed-request-line'),
  target: refuse(400, 'malformed-target'),
  host: refuse(400, 'malformed-host'),
  missingHost: refuse(400, 'missing-host'),
  duplicateHost: refuse(400, 'duplicate-host'),
  connection: refuse(400, 'malformed-connection'),
  framing: refuse(400, 'malformed-framing'),
  credentials: refuse(400, 'duplicate-credentials'),
  maxForwards: refuse(400, 'malformed-max-forwards'),
  selfDependency: refuse(400, 'stream-depends-on-itself'),
  forwards: refuse(200, 'no-forwards-left'),
  method: refuse(405, 'method-not-allowed'),
  expectation: refuse(417, 'unknown-expectation'),
  fields: refuse(431, 'too-many-fields'),
  size: refuse(431, 'head-too-large'),
  protocol: refuse(501, 'unsupported-protocol'),
} as const

const trailerField = fieldMask('trailer')
const authorizationId = fieldId('authorization')
const cookieId = fieldId('cookie')

/** Bits of the pseudo-header fields met, by their rule. */
const bit = (rule: number): number => 1 << rule
const methodBit = bit(nameRule.method)
const required = methodBit | bit(nameRule.scheme) | bit(nameRule.path)
const protocolBit = bit(nameRule.protocol)

/**
 * Makes a request head of a field block, as RFC 9113 8.3.1 and RFC 8441 want it. Nothing is mended: the
 * first fault makes the message malformed. One object a thread; `begin`, decode, `finish`.
 */
export class RequestReader implements FieldSink {
  head: RequestHead | undefined
  refusal: Refusal | undefined
  #pseudo = 0
  #scheme = ''
  #protocol = ''
  #host: string | undefined
  #cookie: string | undefined
  #fields = 0
  #fieldsMax = 0
  #rules: NameRules | undefined
  #authorized = false
  /** The authority found valid last, which is that of nearly every request to come. */
  #validAuthority = ''

  begin(fieldsMax: number, rules: NameRules): void {
    this.head = takeRequestHead()
    this.head.version = 20
    this.head.contentLength = -1
    this.refusal = undefined
    this.#pseudo = 0
    this.#protocol = ''
    this.#host = undefined
    this.#cookie = undefined
    this.#fields = 0
    this.#fieldsMax = fieldsMax
    this.#rules = rules
    this.#authorized = false
  }

  // oxlint-disable-next-line max-params -- once a field, from the decoder
  onField(
    name: FieldName,
    value: string,
    valid: boolean,
    neverIndexed: boolean,
    entry: RepeatedField | undefined,
  ): void {
    if (this.refusal !== undefined) return
    if (!valid) {
      this.refusal = refusals.field
      return
    }
    const head = this.head as RequestHead
    if (name.rule !== nameRule.ordinary) {
      this.#special(name, value)
      return
    }
    if (++this.#fields > this.#fieldsMax) {
      this.refusal = refusals.fields
      return
    }
    if (name.id === authorizationId) this.#credentials()
    else if (neverIndexed && !name.secret) head.fields.sensitive = true
    appendField(head.fields, name, value, entry)
  }

  /** Authorization: with two, we might check one and the upstream believe the other. */
  #credentials(): void {
    if (this.#authorized) this.refusal = refusals.credentials
    this.#authorized = true
  }

  #special(name: FieldName, value: string): void {
    const { rule } = name
    if (rule >= nameRule.method && rule <= nameRule.status) this.#pseudoField(name, value)
    else if (rule === nameRule.invalid) this.refusal = invalidName(name)
    else this.#regular(name, value)
  }

  #regular(name: FieldName, value: string): void {
    const head = this.head as RequestHead
    // The crumbs of Cookie are one field.
    if (name.rule !== nameRule.cookie || this.#cookie === undefined) this.#fields++
    if (this.#fields > this.#fieldsMax) {
      this.refusal = refusals.fields
      return
    }
    const rule: number = name.rule
    if (rule === nameRule.cookie) {
      this.#cookie = this.#cookie === undefined ? value : `${this.#cookie}; ${value}`
    } else if (rule === nameRule.host) {
      this.refusal = this.#host === undefined ? undefined : refusals.duplicateHost
      this.#host = value
    } else if (rule >= nameRule.underscored) {
      if (keepsOddName(name.rule, this.#rules as NameRules)) {
        head.fields.appendKnown(0, name.name, value)
      }
    } else if (rule !== nameRule.dropped) {
      this.refusal = takeHopField(head, rule, value)
    }
  }

  #pseudoField(name: FieldName, value: string): void {
    const head = this.head as RequestHead
    if (this.#fields > 0) {
      this.refusal = refusals.pseudo
      return
    }
    if ((this.#pseudo & bit(name.rule)) !== 0) {
      this.refusal = refusals.pseudo
      return
    }
    this.#pseudo |= bit(name.rule)
    if (name.rule === nameRule.method) head.method = value
    else if (name.rule === nameRule.scheme) this.#scheme = value
    else if (name.rule === nameRule.path) head.target = value
    else if (name.rule === nameRule.authority) head.authority = value
    else if (name.rule === nameRule.protocol) this.#protocol = value
    else this.refusal = refusals.pseudo
  }

  /**
   * The head, whole and valid, or undefined: then `refusal` says why. `whole`: the list was within its
   * size. `ended`: no body follows.
   */
  finish(whole: boolean, ended: boolean): RequestHead | undefined {
    const head = this.head as RequestHead
    this.head = undefined
    // What lies beyond the limit was not looked at, so a fault within it comes first.
    this.refusal ??= whole ? this.#check(head, ended) : refusals.size
    if (this.refusal !== undefined) {
      releaseRequestHead(head)
      return undefined
    }
    if (this.#cookie !== undefined) head.fields.appendKnown(cookieId, 'cookie', this.#cookie)
    if (!ended) return head
    if (head.contentLength < 0) head.contentLength = 0
    head.expectContinue = false
    head.fields.removeKnown(trailerField)
    return head
  }

  #check(head: RequestHead, ended: boolean): Refusal | undefined {
    const extended = (this.#pseudo & protocolBit) !== 0
    if ((this.#pseudo & methodBit) === 0) return refusals.pseudo
    if (!isToken(head.method)) return refusals.requestLine
    if (head.method === 'CONNECT' && !extended) return this.#plainConnect(head)
    if (head.method === 'TRACE') return refusals.method
    const fault = this.#checkTarget(head) ?? this.#checkAuthority(head)
    if (fault !== undefined) return fault
    if (ended && head.contentLength > 0) return refusals.framing
    if (extended) return this.#extendedConnect(head)
    return head.method === 'OPTIONS' ? spendForward(head.fields) : undefined
  }

  #checkTarget(head: RequestHead): Refusal | undefined {
    if ((this.#pseudo & required) !== required) return refusals.pseudo
    if (this.#scheme !== 'http' && this.#scheme !== 'https') return refusals.target
    const asterisk = head.target === '*' && head.method === 'OPTIONS'
    return asterisk || isOriginForm(head.target) ? undefined : refusals.target
  }

  /** `:authority` and Host must name the same; one of them must be there (8.3.1). */
  #checkAuthority(head: RequestHead): Refusal | undefined {
    const host = this.#host
    if ((this.#pseudo & bit(nameRule.authority)) === 0) head.authority = host ?? ''
    if (head.authority === '') return refusals.missingHost
    if (head.authority !== this.#validAuthority) {
      if (!isAuthority(head.authority)) return refusals.host
      this.#validAuthority = head.authority
    }
    if (host !== undefined && host.toLowerCase() !== head.authority.toLowerCase()) {
      return refusals.host
    }
    return undefined
  }

  /** Well-formed (8.5), but a reverse proxy opens no tunnels to anywhere. */
  #plainConnect(head: RequestHead): Refusal {
    const wrong = (this.#pseudo & ~methodBit) !== bit(nameRule.authority)
    return wrong || !isAuthority(head.authority) ? refusals.pseudo : refusals.method
  }

  /** RFC 8441 4: becomes the GET with Upgrade that it stands for. */
  #extendedConnect(head: RequestHead): Refusal | undefined {
    if (head.method !== 'CONNECT') return refusals.pseudo
    if (head.contentLength > 0) return refusals.framing
    if (this.#protocol.toLowerCase() !== 'websocket') return refusals.protocol
    head.method = 'GET'
    head.upgrade = 'websocket'
    head.contentLength = 0
    return undefined
  }
}

function invalidName(name: FieldName): Refusal {
  return name.name.charCodeAt(0) === 0x3a ? refusals.pseudo : refusals.field
}

/** Counts this hop in Max-Forwards (RFC 9110 7.6.2). */
function spendForward(fields: Fields): Refusal | undefined {
  const text = fields.getJoined('max-forwards')
  if (text === undefined) return undefined
  const left = text.length > 9 ? -1 : parseLength(text)
  if (left < 0) return refusals.maxForwards
  if (left === 0) return refusals.forwards
  fields.set('max-forwards', String(left - 1))
  return undefined
}

/** Fields that become members of the head; all others with a rule do not belong in HTTP/2. */
function takeHopField(head: RequestHead, rule: number, value: string): Refusal | undefined {
  if (rule === nameRule.contentLength) {
    const repeated = head.contentLength >= 0
    head.contentLength = parseLength(value)
    return repeated || head.contentLength < 0 ? refusals.framing : undefined
  }
  if (rule === nameRule.te) {
    head.acceptsTrailers = value.toLowerCase() === 'trailers'
    return head.acceptsTrailers ? undefined : refusals.connection
  }
  if (rule === nameRule.expect) {
    head.expectContinue = value.toLowerCase() === '100-continue'
    return head.expectContinue ? undefined : refusals.expectation
  }
  return refusals.connection
}

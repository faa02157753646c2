import type { RepeatedField } from '#src/exchange/field-block.ts'
import { releaseResponseHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import type { FieldSink } from '../hpack/decoder.ts'
import { lastPseudoRule, nameRule } from '../hpack/field-name.ts'
import type { FieldName, NameRule } from '../hpack/field-name.ts'
import { appendField } from './append-field.ts'
import { parseLength } from './syntax.ts'

/** Makes a response head of a field block (RFC 9113 8.3.2). One object a thread. */
export class ResponseReader implements FieldSink {
  head: ResponseHead | undefined
  /** The first fault, in words; '' for none. */
  fault = ''
  /** There are more fields than allowed. */
  tooLarge = false
  #regular = false
  #fields = 0
  #fieldsMax = 0

  begin(fieldsMax: number): void {
    this.head = takeResponseHead()
    this.head.version = 20
    this.fault = ''
    this.tooLarge = false
    this.#regular = false
    this.#fields = 0
    this.#fieldsMax = fieldsMax
  }

  // oxlint-disable-next-line max-params -- once a field, from the decoder
  onField(
    name: FieldName,
    value: string,
    valid: boolean,
    neverIndexed: boolean,
    entry: RepeatedField | undefined,
  ): void {
    if (this.fault !== '') return
    if (!valid) {
      this.fault = 'field-value-invalid'
      return
    }
    if (++this.#fields > this.#fieldsMax) {
      this.tooLarge = true
      return
    }
    const head = this.head as ResponseHead
    if (name.rule === nameRule.status) this.#status(head, value)
    else if (isKept(name.rule)) {
      this.#regular = true
      if (neverIndexed && !name.secret) head.fields.sensitive = true
      appendField(head.fields, name, value, entry)
    } else {
      this.#regular = true
      this.#special(head, name, value)
    }
  }

  #special(head: ResponseHead, name: FieldName, value: string): void {
    if (name.rule === nameRule.contentLength) {
      if (head.contentLength >= 0) this.fault = 'content-length-repeated'
      head.contentLength = parseLength(value)
      if (head.contentLength < 0) this.fault = 'content-length-invalid'
    } else if (!isDropped(name.rule)) {
      this.fault = faultOf(name)
    }
  }

  #status(head: ResponseHead, value: string): void {
    if (this.#regular || head.status !== 0) this.fault = 'pseudo-header-misplaced'
    head.status = value.length === 3 ? parseLength(value) : -1
    // RFC 9113 8.6: there is no 101 in HTTP/2.
    if (head.status < 100 || head.status > 599 || head.status === 101) this.fault = 'status-invalid'
  }

  /** The head, or undefined when it is malformed or too large. */
  finish(whole: boolean): ResponseHead | undefined {
    const head = this.head as ResponseHead
    this.head = undefined
    if (!whole) this.tooLarge = true
    if (this.fault === '' && head.status === 0) this.fault = 'status-missing'
    if (this.fault === '' && !this.tooLarge) return head
    releaseResponseHead(head)
    return undefined
  }
}

function isKept(rule: NameRule): boolean {
  return (
    rule === nameRule.ordinary ||
    rule === nameRule.cookie ||
    rule === nameRule.expect ||
    rule >= nameRule.underscored
  )
}

/** What means nothing in a response, or for one hop only. */
function isDropped(rule: NameRule): boolean {
  return rule === nameRule.host || rule === nameRule.dropped
}

function faultOf(name: FieldName): string {
  if (name.rule === nameRule.connection || name.rule === nameRule.te)
    return 'connection-specific-field'
  return name.rule <= lastPseudoRule && name.rule !== nameRule.invalid
    ? 'pseudo-header-unknown'
    : 'field-name-invalid'
}

import { Fields } from '#src/exchange/fields.ts'
import { fieldMask } from '#src/exchange/known-fields.ts'
import { isMisplacedTrailer, misplacedTrailers } from '#src/exchange/trailer-names.ts'
import type { FieldSink } from '../hpack/decoder.ts'
import { keepsOddName, nameRule } from '../hpack/field-name.ts'
import type { FieldName, NameRule, NameRules } from '../hpack/field-name.ts'

function isPlain(rule: NameRule): boolean {
  return rule === nameRule.ordinary || rule === nameRule.cookie || rule === nameRule.dropped
}

/** Of the fields that the proxy knows, those that a response may bring late: metadata of gRPC. */
const lateInResponses = fieldMask('server', 'date', 'x-request-id')

/**
 * Makes a trailer section of a field block. Pseudo-header fields and whatever frames or routes a message
 * make it malformed (RFC 9113 8.1). One object a thread.
 */
export class TrailerReader implements FieldSink {
  valid = true
  #trailers = new Fields()
  #count = 0
  #fieldsMax = 0
  #rules: NameRules | undefined

  /** `rules` are for requests; without them, as in responses, every token is a good name. */
  begin(fieldsMax: number, rules: NameRules | undefined): void {
    this.valid = true
    this.#trailers = new Fields()
    this.#count = 0
    this.#fieldsMax = fieldsMax
    this.#rules = rules
  }

  // oxlint-disable-next-line max-params -- once a field, from the decoder
  onField(name: FieldName, value: string, valid: boolean, neverIndexed: boolean): void {
    const { rule } = name
    const odd = rule >= nameRule.underscored
    if (!valid || !(odd || isPlain(rule)) || ++this.#count > this.#fieldsMax) {
      this.valid = false
      return
    }
    if (!this.#mayComeLate(name)) return
    if (odd && this.#rules !== undefined && !keepsOddName(rule, this.#rules)) return
    if (neverIndexed) this.#trailers.sensitive = true
    this.#trailers.appendKnown(name.id, name.name, value)
  }

  #mayComeLate(name: FieldName): boolean {
    if (name.id > 0) return this.#rules === undefined && ((lateInResponses >>> name.id) & 1) === 1
    // Metadata of gRPC may have any name that is not a field of HTTP.
    if (this.#rules === undefined) return !misplacedTrailers.has(name.name)
    return !isMisplacedTrailer(name.name)
  }

  /** The trailers, or undefined when they are malformed or too large. */
  finish(whole: boolean): Fields | undefined {
    return whole && this.valid ? this.#trailers : undefined
  }
}

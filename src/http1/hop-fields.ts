import type { Fields } from '#src/exchange/fields.ts'
import { fieldId, fieldMask, knownFields } from '#src/exchange/known-fields.ts'
import type { FieldId } from '#src/exchange/known-fields.ts'

/** Fields of requests that concern this hop only, or that the proxy writes anew. */
export const requestHopFields = fieldMask(
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'keep-alive',
  'proxy-connection',
  'proxy',
  'proxy-authorization',
  'http2-settings',
)

/** The same for responses. */
export const responseHopFields = fieldMask(
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'keep-alive',
  'proxy-connection',
)

export const hostId = fieldId('host')
export const connectionId = fieldId('connection')
export const contentLengthId = fieldId('content-length')
export const transferEncodingId = fieldId('transfer-encoding')
export const upgradeId = fieldId('upgrade')
export const expectId = fieldId('expect')
export const teId = fieldId('te')

/** The values whose text matters; of the others only that they go. */
const read =
  fieldMask('host', 'connection', 'content-length', 'transfer-encoding') |
  fieldMask('upgrade', 'expect', 'te')

/** Takes the fields of one hop out of a head and keeps their values. One object serves a thread. */
export class HopFields {
  /** A bit for each field that stood there. */
  #present = 0
  /** A bit for each that stood there more than once. */
  #repeated = 0
  readonly #values: string[] = knownFields.map(() => '')

  /** Moves the fields with a bit in `mask` from `fields` to here. */
  take(fields: Fields, mask: number): void {
    this.#present = 0
    this.#repeated = 0
    if ((fields.mask & mask) === 0) return
    for (let i = 0; i < fields.size; i++) {
      const id = fields.idAt(i)
      if (id <= 0 || ((mask >>> id) & 1) === 0) continue
      if (((read >>> id) & 1) === 1) this.#keep(id, fields.valueAt(i))
      fields.removeAt(i)
    }
  }

  #keep(id: FieldId, value: string): void {
    const bit = 1 << id
    if ((this.#present & bit) === 0) {
      this.#present |= bit
      this.#values[id] = value
      return
    }
    this.#repeated |= bit
    this.#values[id] += `, ${value}`
  }

  /** The value, of several lines joined as a list, or undefined. */
  get(id: FieldId): string | undefined {
    return (this.#present & (1 << id)) === 0 ? undefined : this.#values[id]
  }

  repeated(id: FieldId): boolean {
    return (this.#repeated & (1 << id)) !== 0
  }
}

import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { fieldName } from '#src/annotations/names.ts'
import { listOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'

/** Names of header fields between commas. */
export const fieldNameList: ValueType<readonly string[]> = listOf(fieldName)

/** Names of fields that one message hands to another: none that frames it, nor Host. */
export const carriedFieldNames: ValueType<readonly string[]> = listOf({
  ...fieldName,
  expects: 'the name of a header field that the proxy does not set itself',
  parse(text) {
    const name = fieldName.parse(text)
    const lower = text.toLowerCase()
    return lower === 'host' || framing.has(lower) ? undefined : name
  },
})

/** Names that frame messages or belong to one hop: writing them by hand would break either. */
const framing = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'expect',
  'http2-settings',
])

/** Why this may not be written as a header field; undefined: it may. */
export function fieldProblem(name: string, value: string): string | undefined {
  if (fieldName.parse(name) === undefined) return `${JSON.stringify(name)} is no field name`
  if (framing.has(name.toLowerCase())) return `${name} is set by the proxy itself`
  // oxlint-disable-next-line no-control-regex -- controls are what is looked for
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) return `the value of ${name} holds control characters`
  return undefined
}

/** A value of a ConfigMap as the bytes of a field: UTF-8, one character each, without outer space. */
export function fieldValue(text: string): string {
  return pathBytes(text.trim())
}

/** The text of a reference: `name` or `namespace/name`. */
export const objectReference: ValueType<string> = {
  expects: 'the name of an object, or namespace/name',
  schema: { pattern: '^(?:[-a-z0-9]+/)?[-a-z0-9.]+$' },
  parse: (text) =>
    /^(?:[-a-z0-9]{1,63}\/)?[a-z0-9][-a-z0-9.]{0,252}$/.test(text) ? text : undefined,
  format: (text) => text,
}

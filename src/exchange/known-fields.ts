/** Fields that say to an upstream how its client came; only the proxy sets them. */
export const forwardingFields = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-scheme',
  'x-real-ip',
] as const

/**
 * Field names that the proxy itself acts on. A codec classifies every name once, while it parses;
 * afterwards a known field is a small number, and "does this message have any of these" is one
 * test of a bit mask.
 */
export const knownFields = [
  '',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'proxy',
  ...forwardingFields,
  'x-request-id',
  'x-original-forwarded-for',
  'cookie',
  'authorization',
  'max-forwards',
  'server',
  'date',
  'set-cookie',
  'location',
  'strict-transport-security',
  'proxy-authorization',
  'http2-settings',
  'x-original-forwarded-host',
] as const

export type KnownFieldName = Exclude<(typeof knownFields)[number], ''>

/** The number of a known field, 1 to 31; 0 stands for any other name. */
export type FieldId = number

const ids = new Map<string, FieldId>(knownFields.map((name, id) => [name, id]))

/** The number of a lower-case name; 0 when it is not a known one. */
export function fieldId(lowerName: string): FieldId {
  return ids.get(lowerName) ?? 0
}

/** A mask with the bits of these fields, to test against `Fields.mask`. */
export function fieldMask(...names: readonly KnownFieldName[]): number {
  return names.reduce((mask, name) => mask | (1 << fieldId(name)), 0)
}

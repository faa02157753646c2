/**
 * Step of a rolling hash over the units of a text (FNV-1a, 32 bits): for tables whose keys are parts
 * of a request that must not be cut out to be looked up. Start with {@link hashStart}.
 */
export function hashUnit(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193)
}

/** The hash of the empty text. */
export const hashStart = 0x811c9dc5 | 0

/** The hash of a text from `start` to its end. */
export function hashTail(text: string, start: number): number {
  let hash = hashStart
  for (let at = start; at < text.length; at++) hash = hashUnit(hash, text.charCodeAt(at))
  return hash
}

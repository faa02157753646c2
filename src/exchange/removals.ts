import type { PreparedFields } from './prepared-fields.ts'

/** What leaves a head of which earlier ones were copies, byte for byte: each time the same. */
export interface Removal {
  readonly names: PreparedFields
  /** Entries that had left before, a bit each. */
  readonly before: number
  /** Entries that left then. */
  readonly removed: number
}

/** As many policies of a rule as change fields by themselves, with room for another rule. */
const keptMax = 8

/** Which entries the removal of these names takes out, a bit each; -1: it is not known. */
export function keptRemoval(
  removals: readonly Removal[],
  names: PreparedFields,
  before: number,
): number {
  for (const removal of removals) {
    if (removal.names === names && removal.before === before) return removal.removed
  }
  return -1
}

/** Keeps what the removal of these names took out; `after`: entries that have left since. */
// oxlint-disable-next-line max-params -- numbers
export function keepRemoval(
  removals: Removal[],
  names: PreparedFields,
  before: number,
  after: number,
): void {
  if (removals.length >= keptMax) removals.length = 0
  removals.push({ names, before, removed: after & ~before })
}

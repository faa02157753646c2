import type { EndpointColumns } from './balancer.ts'

/**
 * Follows endpoints by identity over changes of the set, so that what a balancer knows of an
 * endpoint survives when its index does not.
 */
export class CarryOver {
  readonly #columns: EndpointColumns
  #identity: Uint32Array

  constructor(columns: EndpointColumns) {
    this.#columns = columns
    this.#identity = columns.identity.slice(0, columns.count)
  }

  /**
   * To be called once per rebuild: the old index of every endpoint, -1 for a new one, or undefined
   * when every endpoint has kept its index.
   */
  next(): Int32Array | undefined {
    const old = this.#identity
    const { count, identity } = this.#columns
    let same = old.length === count
    for (let i = 0; i < count && same; i++) same = old[i] === identity[i]
    if (same) return undefined
    this.#identity = identity.slice(0, count)
    const places = new Map<number, number>()
    // Of two endpoints with one identity the first keeps the history.
    for (let i = old.length - 1; i >= 0; i--) places.set(old[i] as number, i)
    return Int32Array.from({ length: count }, (_, i) => {
      const own = identity[i] as number
      const place = places.get(own) ?? -1
      places.delete(own)
      return place
    })
  }
}

/** The values in the order of the new indices, 0 for a new endpoint. */
export function carried<Column extends Float64Array | Uint8Array | Int32Array>(
  values: Column,
  from: Int32Array,
): Column {
  const moved = new (values.constructor as new (length: number) => Column)(from.length)
  for (let i = 0; i < from.length; i++) {
    const place = from[i] as number
    if (place >= 0) moved[i] = values[place] as number
  }
  return moved
}

/**
 * Memory that all threads share is laid out once, at its full capacity. Pages that nobody has written
 * cost no memory, so that the capacity is a bound and not a price, and nothing ever moves.
 */

/** A shared, zeroed Int32Array. */
export function sharedInts(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
}

/** A shared, zeroed Float64Array. */
export function sharedFloats(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT))
}

/** Slot that stands for everything that found the memory full. Never given to anybody alone. */
export const overflowSlot = 0

/** A source of uniform numbers in [0, 1). An argument everywhere, so that a seed replays a run. */
export type Random = () => number

/**
 * A seeded generator: mulberry32, 32 bits of state, period 2^32.
 *
 * For tests, simulations and balancing; never for secrets.
 */
export function seededRandom(seed: number): Random {
  // Signed, so that the engine keeps it in a small integer and a call allocates nothing.
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

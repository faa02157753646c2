/** A line from 0 to 1, cut into pieces that belong to somebody: piece i ends at `ends[i]`. */
export interface ShareLayout {
  readonly ends: Float64Array
  /** Index of the share that has the piece; -1: nobody's. */
  readonly owners: Int32Array
}

interface Piece {
  readonly start: number
  readonly end: number
  readonly owner: number
}

/**
 * Gives each share (0 to 1) its part of a line, so that a share that changes leaves the others where
 * they are: share i begins at the i-th point of van der Corput's sequence (0, 1/2, 1/4, 3/4, …) and goes
 * round from there through what shares before it have left free. As long as shares do not run into each
 * other, only what one gains or gives up moves, to or from nobody. Shares of more than 1 in all are
 * scaled down.
 */
export function layShares(shares: readonly number[]): ShareLayout {
  const sum = shares.reduce((total, share) => total + share, 0)
  let pieces: Piece[] = [{ start: 0, end: 1, owner: -1 }]
  for (const [i, share] of shares.entries()) {
    pieces = claim(pieces, i, share / Math.max(sum, 1))
  }
  return {
    ends: Float64Array.from(pieces, ({ end }) => end),
    owners: Int32Array.from(pieces, ({ owner }) => owner),
  }
}

/** The owner of a point from 0 to below 1. */
export function shareAt({ ends, owners }: ShareLayout, point: number): number {
  for (let i = 0; i < ends.length; i++) {
    if (point < (ends[i] as number)) return owners[i] as number
  }
  return -1
}

/** Takes `length` of what is free, from the owner's own point on and round. */
function claim(pieces: readonly Piece[], owner: number, length: number): Piece[] {
  const start = vanDerCorput(owner)
  const cut = pieces.flatMap((piece) =>
    piece.start < start && start < piece.end
      ? [
          { ...piece, end: start },
          { ...piece, start },
        ]
      : [piece],
  )
  const first = cut.findIndex((piece) => piece.start >= start)
  const taken = new Map<number, number>()
  let rest = length
  for (let step = 0; step < cut.length; step++) {
    const index = (first + step) % cut.length
    const piece = cut[index] as Piece
    if (piece.owner >= 0 || rest <= 0) continue
    const part = Math.min(rest, piece.end - piece.start)
    taken.set(index, piece.start + part)
    rest -= part
  }
  return cut.flatMap((piece, index) => {
    const end = taken.get(index)
    if (end === undefined) return [piece]
    const own = { start: piece.start, end, owner }
    return end < piece.end ? [own, { ...piece, start: end }] : [own]
  })
}

/** The binary digits of i, mirrored behind the point. */
function vanDerCorput(i: number): number {
  let point = 0
  let digit = 0.5
  for (let rest = i; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) point += digit
    digit /= 2
  }
  return point
}

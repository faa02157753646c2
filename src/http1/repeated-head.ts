/** Longer heads are read anew each time, so that what a connection keeps is bounded. */
const bytesMax = 2048
/** Two comparisons of 4 bytes at a time. */
const bytesMin = 8
/** After so many heads that were kept for nothing, the peer is taken for one that does not repeat itself. */
const vainMax = 3
/** Then one of so many is kept nevertheless, in case that changes. */
const chanceEvery = 1000

const noBytes = new DataView(new ArrayBuffer(0))

/**
 * The last head of a peer with its reading, for the next one is often the same, byte for byte: clients
 * that keep their connections ask again, and servers answer in the same words. To compare costs a
 * fraction of reading, and a head that differs does so early. Of clients it is kept by connection: none
 * must learn by the clock what others send.
 *
 * A head is kept when the one before it had the same length, so that peers that send one head, or
 * each time another, cost nothing.
 */
export class RepeatedHead<Reading> {
  /** What to keep next; undefined until a head was kept. */
  #reading: Reading | undefined
  #bytes: DataView = noBytes
  /** Bytes of the kept head; a DataView takes long to tell. */
  #length = 0
  /** The buffer that was compared last, nearly always the one that all connections read into. */
  #buffer: Buffer | undefined
  #view: DataView = noBytes
  /** Length of the head before. */
  #before = 0
  #vain = 0
  /** Heads that were not kept since. */
  #passed = 0

  /** The reading of the kept head if the bytes from `start` on begin with that head. */
  match(buffer: Buffer, start: number, end: number): Reading | undefined {
    const reading = this.#reading
    if (reading === undefined || end - start < this.#length) return undefined
    if (buffer !== this.#buffer) this.#look(buffer)
    if (!beginsWith(this.#view, start, this.#bytes, this.#length)) return undefined
    this.#vain = 0
    return reading
  }

  /** Bytes of the kept head. */
  get length(): number {
    return this.#length
  }

  /** Whether a head of this length, which was just read, should be kept. */
  wants(length: number): boolean {
    const again = length === this.#before
    this.#before = length
    if (!again || length < bytesMin || length > bytesMax) return false
    if (this.#vain >= vainMax && ++this.#passed < chanceEvery) return false
    this.#passed = 0
    return true
  }

  /** Keeps the head in these bytes in place of the one before; undefined: it cannot be read in advance. */
  keep(buffer: Buffer, start: number, end: number, reading: Reading | undefined): void {
    const bytes = new Uint8Array(end - start)
    bytes.set(buffer.subarray(start, end))
    this.#bytes = new DataView(bytes.buffer)
    this.#length = bytes.length
    this.#reading = reading
    this.#vain++
  }

  forget(): void {
    this.#reading = undefined
  }

  #look(buffer: Buffer): void {
    this.#buffer = buffer
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  }
}

// oxlint-disable-next-line max-params -- the bytes as they lie: no object for them
function beginsWith(view: DataView, start: number, head: DataView, length: number): boolean {
  const last = length - bytesMin
  for (let at = 0; at < last; at += bytesMin) if (!sameAt(view, start + at, head, at)) return false
  // The last bytes, some of them once more.
  return sameAt(view, start + last, head, last)
}

// oxlint-disable-next-line max-params -- the bytes as they lie: no object for them
function sameAt(view: DataView, position: number, head: DataView, at: number): boolean {
  // In the order that processors have, so that they need not turn the bytes round.
  const first = view.getInt32(position, true) ^ head.getInt32(at, true)
  return (first | (view.getInt32(position + 4, true) ^ head.getInt32(at + 4, true))) === 0
}

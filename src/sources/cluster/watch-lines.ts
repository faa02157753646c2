/** A watch that cannot be read on. */
export class WatchBroken extends Error {}

/** The API server's bound for a request is 3 MiB; an event holds one object. */
const lineBytesMax = 16 * 1024 * 1024
const lineFeed = 0x0a

/** Takes the bytes of a watch apart into lines of JSON. */
export class WatchLines {
  readonly #parts: Buffer[] = []
  #bytes = 0

  /** The documents that this piece completes. Throws a WatchBroken. */
  push(piece: Buffer): unknown[] {
    const documents: unknown[] = []
    let start = 0
    for (let end = piece.indexOf(lineFeed); end >= 0; end = piece.indexOf(lineFeed, start)) {
      const line = this.#line(piece.subarray(start, end))
      if (line !== '') documents.push(parse(line))
      start = end + 1
    }
    if (start < piece.length) this.#keep(piece.subarray(start))
    return documents
  }

  /** The end of the stream: a line must not be left half. */
  end(): void {
    if (this.#bytes > 0) throw new WatchBroken('the watch ended within a line')
  }

  #line(last: Buffer): string {
    if (this.#bytes === 0) return last.toString('utf8').trim()
    this.#keep(last)
    const line = Buffer.concat(this.#parts, this.#bytes).toString('utf8').trim()
    this.#parts.length = 0
    this.#bytes = 0
    return line
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > lineBytesMax) {
      throw new WatchBroken(`an event is longer than ${lineBytesMax} bytes`)
    }
    this.#parts.push(part)
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new WatchBroken('an event is not JSON')
  }
}

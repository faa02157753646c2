import { incomplete } from './field-scanner.ts'
import { HeadBuffer } from './head-buffer.ts'
import { ResponseParser } from './response-parser.ts'

/** Parsing never waits, so one parser is enough for all connections of a thread. */
export const responseParser = new ResponseParser()

/** Finds response heads on one connection, whole in one read or cut anywhere. */
export class ResponseHeadReader {
  /** `whole`: the parser has the head. `refused`: the bytes are no head, or too many. */
  outcome: 'part' | 'whole' | 'refused' = 'part'
  #part: HeadBuffer | undefined

  /** Reads on from `from`. Returns the position reached. */
  read(buffer: Buffer, from: number, end: number, bytesMax: number): number {
    const part = this.#part
    if (part !== undefined) return this.#readOn(part, buffer, from, end)
    const position = responseParser.parse(buffer, from, end, bytesMax)
    if (position === incomplete) {
      this.#part = new HeadBuffer(bytesMax, bytesMax)
      this.#part.append(buffer, from, end)
    }
    return this.#finish(position, end)
  }

  #readOn(part: HeadBuffer, buffer: Buffer, from: number, end: number): number {
    const before = part.length
    if (!part.append(buffer, from, end)) return this.#finish(incomplete, end)
    this.#part = undefined
    const position = responseParser.parse(part.bytes, 0, part.length, part.bytesMax)
    return this.#finish(position < 0 ? position : from + position - before, end)
  }

  #finish(position: number, end: number): number {
    if (position >= 0) this.outcome = 'whole'
    else this.outcome = position === incomplete ? 'part' : 'refused'
    return position < 0 ? end : position
  }

  /** Forgets a head that was begun. */
  clear(): void {
    this.#part = undefined
  }
}

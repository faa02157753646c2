import { incomplete } from './field-scanner.ts'
import { HeadBuffer } from './head-buffer.ts'
import { RepeatedHead } from './repeated-head.ts'
import { ResponseParser } from './response-parser.ts'
import type { AskedBy, ResponseReading } from './response-parser.ts'

/** Parsing never waits, so one parser is enough for all connections of a thread. */
export const responseParser = new ResponseParser()

/** The last response head of an upstream. */
export type LastResponse = RepeatedHead<ResponseReading>

/** Finds response heads on one connection, whole in one read or cut anywhere. */
export class ResponseHeadReader {
  /** `whole`: the parser has the head. `refused`: the bytes are no answer to the request, or too many. */
  outcome: 'part' | 'whole' | 'refused' = 'part'
  #part: HeadBuffer | undefined
  readonly #last: LastResponse

  constructor(last: LastResponse = new RepeatedHead()) {
    this.#last = last
  }

  /** Reads on from `from`. Returns the position reached. */
  // oxlint-disable-next-line max-params -- the bytes as they lie: no object for them
  read(buffer: Buffer, from: number, end: number, bytesMax: number, asked: AskedBy): number {
    const part = this.#part
    if (part !== undefined) return this.#readOn(part, buffer, from, end, asked)
    const last = this.#last
    const reading = last.length <= bytesMax ? last.match(buffer, from, end) : undefined
    if (reading !== undefined && responseParser.repeat(reading, asked)) {
      this.outcome = 'whole'
      return from + last.length
    }
    const position = responseParser.parse(buffer, from, end, bytesMax)
    if (position === incomplete) {
      this.#part = new HeadBuffer(bytesMax, bytesMax)
      this.#part.append(buffer, from, end)
    }
    const reached = this.#finish(position, end, asked)
    if (this.outcome === 'whole' && last.wants(position - from)) {
      last.keep(buffer, from, position, responseParser.reading(asked))
    }
    return reached
  }

  // oxlint-disable-next-line max-params -- the bytes as they lie: no object for them
  #readOn(part: HeadBuffer, buffer: Buffer, from: number, end: number, asked: AskedBy): number {
    const before = part.length
    if (!part.append(buffer, from, end)) return this.#finish(incomplete, end, asked)
    this.#part = undefined
    const position = responseParser.parse(part.bytes, 0, part.length, part.bytesMax)
    return this.#finish(position < 0 ? position : from + position - before, end, asked)
  }

  #finish(position: number, end: number, asked: AskedBy): number {
    if (position < 0) {
      this.outcome = position === incomplete ? 'part' : 'refused'
      return end
    }
    this.outcome = responseParser.interpret(asked) ? 'whole' : 'refused'
    return position
  }

  /** Forgets a head that was begun. */
  clear(): void {
    this.#part = undefined
  }
}

import type { Http2Stream } from './stream.ts'

/**
 * The streams that are told when a batch of events is over. No array: emptied, it would take new memory with
 * every request.
 */
export class TouchedStreams {
  #first: Http2Stream | undefined
  #last: Http2Stream | undefined

  /** Once, however often it is added. */
  add(stream: Http2Stream): void {
    if (stream.touched) return
    stream.touched = true
    if (this.#first === undefined) this.#first = stream
    else (this.#last as Http2Stream).nextTouched = stream
    this.#last = stream
  }

  /** Tells all, those that are added meanwhile too. */
  flush(): void {
    for (let stream = this.#first; stream !== undefined; stream = this.#first) {
      this.#first = stream.nextTouched
      stream.touched = false
      stream.nextTouched = undefined
      stream.deliverFlush()
    }
    this.#last = undefined
  }
}

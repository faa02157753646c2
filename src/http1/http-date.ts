/** The Date field of responses (RFC 9110 6.6.1), written once a second. */
export class HttpDate {
  readonly #clock: () => number
  #second = -1
  #line = ''

  /** `clock` tells milliseconds since 1970. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** The field as a line, with its CRLF. */
  line(): string {
    const second = Math.floor(this.#clock() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#line = `Date: ${new Date(second * 1000).toUTCString()}\r\n`
    }
    return this.#line
  }
}

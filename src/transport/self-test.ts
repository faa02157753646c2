import { setTimeout as sleep } from 'node:timers/promises'
import type { CloseReason, ConnectHandler, Connection, Transport } from './transport.ts'

const timeoutMsDefault = 2000
/** More than the kernel takes at once, so that a part must wait. */
const bodyBytes = 8 * 1024 * 1024
const head = 'self-test\r\n'

/**
 * Sends a message that is larger than socket buffers over the loopback interface, back and forth, and closes in
 * order. Rejects when anything differs from what was sent, or it takes too long.
 */
export async function selfTest(transport: Transport, timeoutMs = timeoutMsDefault): Promise<void> {
  const echo = new Echo()
  const listener = await transport.listen({
    address: '127.0.0.1',
    port: 0,
    reusePort: false,
    backlog: 1,
    onConnection: (connection) => {
      echo.accept(connection)
    },
  })
  const probe = new Probe()
  const limit = new AbortController()
  const connection = transport.connect(
    { address: '127.0.0.1', port: listener.port, tls: undefined },
    probe,
  )
  try {
    await Promise.race([
      Promise.all([probe.done, echo.done]),
      sleep(timeoutMs, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`no echo within ${timeoutMs} ms`)
      }),
    ])
  } finally {
    limit.abort()
    connection.destroy()
    echo.connection?.destroy()
    listener.destroy()
  }
}

/** The server: sends everything back, under backpressure. */
class Echo {
  connection: Connection | undefined
  readonly #end = Promise.withResolvers<void>()
  readonly done = this.#end.promise

  accept(connection: Connection): void {
    this.connection = connection
    connection.handler = this
    connection.resume()
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (!(this.connection as Connection).writeBytes('', buffer, start, end))
      this.connection?.pause()
  }

  onDrain(): void {
    this.connection?.resume()
  }

  onEnd(): void {
    this.connection?.end()
  }

  onClose(reason: CloseReason): void {
    if (reason === '') this.#end.resolve()
    else this.#end.reject(new Error(`the accepted connection was closed: ${reason}`))
  }
}

/** The client: compares what comes back. */
class Probe implements ConnectHandler {
  readonly #body = Buffer.allocUnsafeSlow(bodyBytes)
  readonly #end = Promise.withResolvers<void>()
  readonly done = this.#end.promise
  #received = 0

  constructor() {
    for (let i = 0; i < bodyBytes; i += 4) this.#body.writeUInt32LE(i, i)
  }

  onConnected(connection: Connection): void {
    connection.writeBytes(head, this.#body, 0, bodyBytes)
    connection.end()
    connection.resume()
  }

  onData(buffer: Buffer, start: number, end: number): void {
    let from = start
    if (this.#received < head.length) {
      const expected = head.slice(this.#received, this.#received + end - start)
      from += expected.length
      if (buffer.latin1Slice(start, from) !== expected) this.#fail('text came back changed')
    }
    const at = this.#received + from - start - head.length
    this.#received += end - start
    if (buffer.compare(this.#body, at, at + end - from, from, end) !== 0) {
      this.#fail('bytes came back changed')
    }
  }

  onDrain(): void {
    // The end follows behind what waits.
  }

  onEnd(): void {
    if (this.#received !== head.length + bodyBytes) {
      this.#fail(`${this.#received} bytes came back`)
    }
  }

  onClose(reason: CloseReason): void {
    if (reason === '') this.#end.resolve()
    else this.#fail(`the connection was closed: ${reason}`)
  }

  #fail(problem: string): void {
    this.#end.reject(new Error(problem))
  }
}

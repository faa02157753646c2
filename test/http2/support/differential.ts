import { once } from 'node:events'
import http2 from 'node:http2'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { flag, frameType, preface } from '#src/http2/protocol.ts'
import { FrameLog, get, headers, settings, settingsAck } from './frames.ts'
import type { FieldPair } from './frames.ts'
import { pick } from './random-frames.ts'
import type { Draw } from './random-frames.ts'
import { RawClient } from './raw-client.ts'
import { RawServer } from './raw-server.ts'

/**
 * The same message to node:http2 (nghttp2) and to us. We may refuse more than it does (it drops what we
 * refuse), but what we let pass it must let pass, too, and read in the same way.
 */
export class NodeOracle {
  readonly #server = http2.createServer()
  #port = 0
  readonly #raw = createServer((socket) => this.#serve(socket))
  #rawPort = 0
  #answer: Buffer = Buffer.alloc(0)

  async start(): Promise<void> {
    for (const server of [this.#server, this.#raw]) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    }
    this.#port = (this.#server.address() as AddressInfo).port
    this.#rawPort = (this.#raw.address() as AddressInfo).port
  }

  stop(): void {
    this.#server.close()
    this.#raw.close()
  }

  /** The request as node sees it, name and value in one line each; undefined: it refuses it. */
  async request(fields: readonly FieldPair[]): Promise<string[] | undefined> {
    const socket = connect(this.#port, '127.0.0.1')
    const log = new FrameLog()
    let seen: string[] | undefined
    const over = new Promise<void>((resolve) => {
      this.#server.once('stream', (stream, _parsed, _flags, raw: string[]) => {
        stream.on('error', () => undefined)
        seen = pairsOf(raw)
        resolve()
      })
      socket.on('data', (chunk: Buffer) => {
        log.add(chunk)
        if (log.codes(1).length + log.codes(0).length > 0) resolve()
      })
      socket.on('close', resolve)
    })
    socket.on('error', () => undefined)
    socket.write(Buffer.concat([preface, settings(), settingsAck, headers(1, fields)]))
    await over
    this.#server.removeAllListeners('stream')
    socket.destroy()
    return seen
  }

  #serve(socket: Socket): void {
    const log = new FrameLog()
    let skip = preface.length
    socket.on('error', () => undefined)
    socket.write(Buffer.concat([settings(), settingsAck]))
    socket.on('data', (chunk: Buffer) => {
      const from = Math.min(skip, chunk.length)
      skip -= from
      log.add(chunk.subarray(from))
      if (log.of(frameType.headers).length > 0) socket.write(this.#answer)
    })
  }

  /** The response as node sees it; undefined: it refuses it. */
  async response(fields: readonly FieldPair[]): Promise<string[] | undefined> {
    this.#answer = headers(1, fields)
    const session = http2.connect(`http://127.0.0.1:${this.#rawPort}`)
    session.on('error', () => undefined)
    const stream = session.request({ ':path': '/' })
    let seen: string[] | undefined
    stream.on('error', () => undefined)
    stream.on('response', (_parsed, _flags, raw: string[]) => {
      seen = pairsOf(raw)
    })
    await new Promise((resolve) => stream.once('close', resolve))
    session.destroy()
    return stream.rstCode === 0 ? seen : undefined
  }
}

function pairsOf(raw: readonly string[]): string[] {
  const lines: string[] = []
  for (let i = 0; i < raw.length; i += 2) lines.push(`${raw[i]}: ${raw[i + 1]}`)
  return lines
}

const names = [
  'x',
  'x-a',
  'accept',
  'te',
  'host',
  'content-length',
  'connection',
  'X',
  'a b',
  'a:b',
  '',
  'x\n',
  'priority',
]
const values = [
  '',
  'y',
  'a b',
  ' a',
  'a\t',
  'a\nb',
  'trailers',
  'a.test',
  '0',
  '00',
  '1',
  'close',
  '\x7f',
  '\u00e9',
]

/** Some field list around a good one. */
export function randomFields(draw: Draw, base: readonly FieldPair[]): FieldPair[] {
  const fields = [...base]
  for (let i = draw(3); i > 0; i--) fields.push([pick(draw, names), pick(draw, values)])
  if (draw(3) === 0) fields.splice(draw(fields.length), 1)
  if (draw(4) === 0) {
    const [a, b] = [draw(fields.length), draw(fields.length)]
    const one = fields[a] as FieldPair
    fields[a] = fields[b] as FieldPair
    fields[b] = one
  }
  if (draw(4) === 0) {
    const at = draw(fields.length)
    fields[at] = [
      (fields[at] as FieldPair)[0],
      pick(draw, ['', '/', '/a#b', '/a b', '*', 'GET', 'http', '200', '99', '1000', ...values]),
    ]
  }
  return fields
}

/** Throws where we let pass what node refuses, or read it differently. */
export async function compareRequest(oracle: NodeOracle, draw: Draw): Promise<void> {
  const fields = randomFields(draw, get)
  const client = new RawClient()
  client.send(headers(1, fields))
  const ours = client.recorder.requests[0]
  if (ours === undefined) return
  const theirs = await oracle.request(fields)
  const shown = JSON.stringify(fields)
  if (theirs === undefined) throw new Error(`node refuses what we take: ${shown}`)
  const left = theirs.filter((line) => !/^(:|host: |content-length: |te: )/.test(line))
  const lines = pairsOf(ours.fields)
  if (JSON.stringify(left) !== JSON.stringify(lines)) {
    throw new Error(`read differently: ${shown}: ${JSON.stringify(left)} ${JSON.stringify(lines)}`)
  }
}

/** The same for responses. */
export async function compareResponse(oracle: NodeOracle, draw: Draw): Promise<void> {
  const fields = randomFields(draw, [
    [':status', '200'],
    ['content-type', 'a/b'],
  ])
  const server = new RawServer()
  const ours = server.request()
  server.send(headers(1, fields, flag.endHeaders | flag.endStream))
  if (ours.status === 0) return
  const theirs = await oracle.response(fields)
  const shown = JSON.stringify(fields)
  if (theirs === undefined) throw new Error(`node refuses what we take: ${shown}`)
  const left = theirs.filter((line) => !/^(:|host: |content-length: |te: )/.test(line))
  const lines = pairsOf(ours.fields)
  if (JSON.stringify(left) !== JSON.stringify(lines)) {
    throw new Error(`read differently: ${shown}: ${JSON.stringify(left)} ${JSON.stringify(lines)}`)
  }
}

import { ResponseHead, releaseRequestHead } from '#src/exchange/heads.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import type { ServerStream, ServerStreamHandler } from '#src/exchange/streams.ts'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import { serverLimits } from '#src/http2/limits.ts'
import { Http2ServerSession } from '#src/http2/server-session.ts'
import { TurnQueue } from '#src/http2/turn-queue.ts'
import {
  decodedBytesMax,
  huffmanBytes,
  huffmanDecode,
  huffmanEncode,
} from '#src/http2/hpack/huffman.ts'
import { Http2ClientSession } from '#src/http2/client-session.ts'
import { clientLimits } from '#src/http2/limits.ts'
import { RequestHead as Head } from '#src/exchange/heads.ts'
import type { Connection, ConnectionHandler } from '#src/transport/transport.ts'

/**
 * What the HTTP/2 codec costs by itself, without sockets: `node bench/http2-codec.ts`. A client session
 * and a server session of ours hand each other their bytes; each request has twelve fields, each answer
 * six and 64 bytes of body. Figures are microseconds for both sides together, best of several rounds.
 */

class Pipe implements Connection {
  handler!: ConnectionHandler
  peer = {
    address: '192.0.2.1',
    port: 1,
    localAddress: '192.0.2.2',
    localPort: 2,
    socketAddress: '192.0.2.1',
    scheme: 'http' as const,
    tls: undefined,
  }
  readonly backedUp = false
  readonly bytes = Buffer.alloc(4 * 1024 * 1024)
  length = 0
  writeText(): boolean {
    return true
  }
  writeLater(): void {}
  writeBytes(_text: string, buffer: Buffer, start: number, end: number): boolean {
    this.length += buffer.copy(this.bytes, this.length, start, end)
    return true
  }
  pause(): void {}
  resume(): void {}
  setBulk(): void {}
  end(): void {}
  destroy(): void {}
  reset(): void {}
}

const answer = new ResponseHead()
answer.status = 200
answer.contentLength = 64
for (const [name, value] of [
  ['Content-Type', 'text/plain; charset=utf-8'],
  ['Date', 'Wed, 25 Nov 2026 07:00:00 GMT'],
  ['Cache-Control', 'max-age=60'],
  ['X-Request-Id', '0123456789abcdef'],
  ['Vary', 'Accept-Encoding'],
] as const) {
  answer.fields.append(name, value)
}
const body = Buffer.alloc(64, 0x61)

let size = body
const acceptor = {
  onRequest(stream: ServerStream, head: RequestHead): ServerStreamHandler {
    releaseRequestHead(head)
    stream.sendHead(answer, false)
    stream.sendData(size, 0, size.length)
    stream.sendEnd(undefined)
    stream.flush()
    return quiet
  },
  onRejected: (): string => '',
}
const quiet: ServerStreamHandler = {
  onRequestBody: () => undefined,
  onRequestEnd: () => undefined,
  onRequestReset: () => undefined,
  onRequestFlush: () => undefined,
  onClientWritable: () => undefined,
}

const request = new Head()
request.method = 'GET'
request.target = '/api/items?page=2'
request.authority = 'shop.example.com'
for (const [name, value] of [
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['accept-language', 'en-US,en;q=0.5'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['referer', 'https://shop.example.com/'],
  ['cookie', 'session=0123456789abcdef0123456789abcdef; theme=dark'],
  ['sec-fetch-dest', 'document'],
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-site', 'same-origin'],
  ['priority', 'u=0, i'],
] as const) {
  request.fields.append(name, value)
}

function measure(name: string, perRound: number, rounds: number, round: () => void): void {
  for (let i = 0; i < rounds; i++) round()
  let best = Infinity
  for (let repeat = 0; repeat < 7; repeat++) {
    const start = performance.now()
    for (let i = 0; i < rounds; i++) round()
    best = Math.min(best, ((performance.now() - start) * 1000) / (rounds * perRound))
  }
  process.stdout.write(`${name.padEnd(44)} ${best.toFixed(3)} us\n`)
}

function sessions(streams: number): () => void {
  const wheel = new TimerWheel(0)
  const turns = new TurnQueue(() => undefined)
  const environment = {
    wheel,
    turns,
    counters: { increment: (name: string) => process.stdout.write(`${name}\n`) },
    createWebSocketKey: () => '',
  }
  const [toServer, toClient] = [new Pipe(), new Pipe()]
  const server = new Http2ServerSession(toClient, acceptor, serverLimits, environment)
  const open = { count: 0 }
  const done = {
    onUpstreamConnected: () => undefined,
    onInterimResponse: () => undefined,
    onResponse: () => undefined,
    onResponseBody: () => undefined,
    onResponseEnd: () => {
      open.count--
    },
    onUpstreamFailure: (why: string) => process.stdout.write(`${why}\n`),
    onResponseFlush: () => undefined,
    onUpstreamWritable: () => undefined,
  }
  const owner = {
    onCapacity: () => undefined,
    onDraining: () => undefined,
    onSessionClosed: () => undefined,
  }
  const client = new Http2ClientSession(toServer, owner, clientLimits, environment, {
    scheme: 'https',
    connected: true,
  })
  const exchange = (): void => {
    turns.run()
    const sent = toServer.length
    toServer.length = 0
    if (sent > 0) server.onData(toServer.bytes, 0, sent)
    turns.run()
    const answered = toClient.length
    toClient.length = 0
    if (answered > 0) client.onData(toClient.bytes, 0, answered)
  }
  exchange()
  exchange()
  return () => {
    for (let i = 0; i < streams; i++) {
      open.count++
      const stream = client.open(done)
      stream.sendHead(request, true)
      stream.flush()
    }
    for (let i = 0; open.count > 0; i++) {
      exchange()
      if (i > 1000) throw new Error('stuck')
    }
  }
}

for (const streams of [1, 10, 100]) {
  measure(
    `both sessions, ${streams} streams`,
    streams,
    Math.ceil(4000 / streams),
    sessions(streams),
  )
}
size = Buffer.alloc(1_000_000, 0x61)
answer.contentLength = size.length
measure('both sessions, an answer of 1 MB', 1, 50, sessions(1))

const text = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const coded = Buffer.alloc(huffmanBytes(text))
huffmanEncode(text, coded, 0)
const decoded = Buffer.alloc(decodedBytesMax(coded.length))
measure(`Huffman, ${text.length} characters, coded`, 1, 20_000, () => {
  huffmanEncode(text, coded, 0)
})
measure(`Huffman, ${text.length} characters, decoded`, 1, 20_000, () => {
  huffmanDecode(coded, 0, coded.length, decoded)
})

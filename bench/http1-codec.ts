/**
 * CPU nanoseconds for reading and writing HTTP/1.1 heads in this process, medians of several
 * rounds. No sockets. `node bench/http1-codec.ts`
 */
import { releaseRequestHead, releaseResponseHead } from '#src/exchange/heads.ts'
import { requestText, responseText } from '#src/http1/head-text.ts'
import type { Http1ServerOptions } from '#src/http1/options.ts'
import { RequestParser } from '#src/http1/request-parser.ts'
import { ResponseParser } from '#src/http1/response-parser.ts'

const rounds = 9
const repeats = 200_000

const options: Http1ServerOptions = {
  keepAliveTimeoutMs: 75_000,
  keepAliveRequests: 1000,
  requestHeadTimeoutMs: 60_000,
  requestBodyTimeoutMs: 60_000,
  requestLineBytesMax: 8 * 1024,
  requestHeadBytesMax: 32 * 1024,
  requestFieldsMax: 100,
  underscoresInHeaders: false,
  ignoreInvalidHeaders: true,
}

const smallRequest = 'GET /items/17 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n'

/** A page load as a browser asks for it: twelve fields and the Host. */
const browserRequest = [
  'GET /products/list?page=2&sort=price HTTP/1.1',
  'Host: shop.example.com',
  'Connection: keep-alive',
  'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
  'sec-ch-ua-mobile: ?0',
  'sec-ch-ua-platform: "Linux"',
  'Upgrade-Insecure-Requests: 1',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-Mode: navigate',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9',
  'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
  '\r\n',
].join('\r\n')

const response = [
  'HTTP/1.1 200 OK',
  'Date: Sun, 06 Nov 2026 08:49:37 GMT',
  'Content-Type: text/html; charset=utf-8',
  'Content-Length: 64',
  'Cache-Control: no-store',
  'Connection: keep-alive',
  '\r\n',
].join('\r\n')

function measure(name: string, run: () => number): void {
  const times: number[] = []
  let sink = 0
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < repeats; i++) sink += run()
    times.push((process.cpuUsage(start).user * 1000) / repeats)
  }
  times.sort((a, b) => a - b)
  const median = times[rounds >> 1] as number
  if (sink < 0) throw new Error('The work was optimised away.')
  process.stdout.write(`${name.padEnd(44)} ${median.toFixed(0).padStart(6)} ns\n`)
}

/** The head in a large read buffer, as the transport brings it. */
function inReadBuffer(text: string): [buffer: Buffer, end: number] {
  const buffer = Buffer.allocUnsafeSlow(64 * 1024)
  return [buffer, buffer.latin1Write(text, 0)]
}

const requests = new RequestParser()
const responses = new ResponseParser()
const asked = { method: 'GET', upgrade: '' }

for (const [name, text] of [
  ['small request', smallRequest],
  ['request of a browser', browserRequest],
] as const) {
  const [buffer, end] = inReadBuffer(text)
  measure(`${name}: read`, () => {
    const position = requests.parse(buffer, 0, end, options)
    releaseRequestHead(requests.takeHead())
    return position
  })
  measure(`${name}: read and write anew`, () => {
    requests.parse(buffer, 0, end, options)
    const head = requests.takeHead()
    const written = requestText(head, 'none', 11, '')
    releaseRequestHead(head)
    return written.length
  })
}

const [buffer, end] = inReadBuffer(response)
measure('response: read', () => {
  const position = responses.parse(buffer, 0, end, 16 * 1024)
  responses.interpret(asked)
  releaseResponseHead(responses.takeHead())
  return position
})
measure('response: read and write anew', () => {
  responses.parse(buffer, 0, end, 16 * 1024)
  responses.interpret(asked)
  const head = responses.takeHead()
  const written = responseText(head, `Content-Length: ${head.contentLength}\r\n`)
  releaseResponseHead(head)
  return written.length
})

import { origin, policiesPath } from './policies.ts'
import type { Setup } from './site.ts'

/** One kind of traffic, and what the proxies have on for it. */
export interface Workload extends Setup {
  readonly id: string
  readonly title: string
  readonly connections: number
  readonly path: string
  readonly method: 'GET' | 'POST'
  /** Bytes of the request body. */
  readonly bodyBytes: number
  /** Flat [name, value, …], the Host field left out. */
  readonly fields: readonly string[]
  readonly tls: boolean
  /** HTTP/2 streams at once on each connection; 0: HTTP/1.1. */
  readonly streams: number
  /** keep: connections are kept. close: a new one for each request. handshake: and a full TLS handshake. */
  readonly connection: 'keep' | 'close' | 'handshake'
  /** Every request has another query and another cookie; only wrk can make such. */
  readonly changing: boolean
  /** What Headgate's CPU per request over the better of nginx and HAProxy must not exceed. */
  readonly bar: number | undefined
}

const small = {
  connections: 64,
  path: '/',
  method: 'GET',
  bodyBytes: 0,
  fields: [],
  tls: false,
  streams: 0,
  connection: 'keep',
  logged: false,
  logLines: false,
  policies: false,
  changing: false,
} as const satisfies Partial<Workload>

/** What a browser sends, 12 fields with Host. */
const browserFields = [
  ['Connection', 'keep-alive'],
  ['sec-ch-ua', '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'],
  ['sec-ch-ua-mobile', '?0'],
  ['sec-ch-ua-platform', '"Linux"'],
  ['Upgrade-Insecure-Requests', '1'],
  [
    'User-Agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ],
  [
    'Accept',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  ],
  ['Referer', 'https://bench.example/catalogue/shoes?page=2'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Accept-Language', 'en-GB,en;q=0.9,de;q=0.8'],
  [
    'Cookie',
    'session=4f8a1c02b7e94d3f8f0d6a5b; theme=dark; _ga=GA1.1.1234567890.1700000000; basket=17',
  ],
].flat()

/** HTTP/2 over TLS. */
const http2 = { ...small, tls: true } as const

/** gRPC methods, which all proxies bring to their backends over h2c. */
export const grpcMethods = [
  { name: 'grpc', path: '/bench.Words/One', port: 'grpcPort' },
  { name: 'stream', path: '/bench.Words/Repeat', port: 'streamPort' },
] as const

/** Messages in the answer to `Repeat`. */
export const streamMessages = 100

const grpc = {
  ...http2,
  method: 'POST',
  bodyBytes: 37,
  connections: 16,
  streams: 10,
  fields: ['Content-Type', 'application/grpc', 'TE', 'trailers'],
} as const

const policies = {
  ...small,
  path: policiesPath,
  fields: ['Origin', origin],
  logged: true,
  policies: true,
} as const

/** Every row of the comparison, in the order of the table. Bars are those of the project's issues 3, 6 and 7. */
export const workloads: readonly Workload[] = [
  { ...small, id: 'h1', title: 'h1 keep-alive, 64-byte body', bar: 1.15 },
  {
    ...small,
    id: 'browser',
    title: 'h1, 12 browser header fields',
    fields: browserFields,
    bar: 1.15,
  },
  {
    ...small,
    id: 'changing',
    title: 'h1, 12 browser header fields, query and cookie change with each request',
    fields: browserFields,
    changing: true,
    bar: undefined,
  },
  {
    ...small,
    id: 'post',
    title: 'h1 POST, 1 KB body',
    method: 'POST',
    bodyBytes: 1024,
    fields: ['Content-Type', 'application/octet-stream'],
    bar: 1.15,
  },
  { ...small, id: 'tls', title: 'h1 over TLS, keep-alive', tls: true, bar: 1.15 },
  { ...small, id: '1m', title: '1 MB response body', path: '/1m', connections: 8, bar: 1.2 },
  {
    ...small,
    id: 'connect',
    title: 'new connection a request',
    fields: ['Connection', 'close'],
    connection: 'close',
    bar: 1.1,
  },
  {
    ...small,
    id: 'handshake',
    title: 'new TLS connection a request, full handshake',
    fields: ['Connection', 'close'],
    connections: 4,
    tls: true,
    connection: 'handshake',
    bar: 1.2,
  },
  { ...http2, id: 'h2', title: 'h2, 1 stream', streams: 1, bar: 1.15 },
  { ...http2, id: 'h2-10', title: 'h2, 10 streams', connections: 16, streams: 10, bar: 0.9 },
  { ...http2, id: 'h2-100', title: 'h2, 100 streams', connections: 4, streams: 100, bar: 0.9 },
  {
    ...http2,
    id: 'h2-1m',
    title: 'h2, 1 MB response body',
    path: '/1m',
    connections: 4,
    streams: 2,
    bar: undefined,
  },
  {
    ...http2,
    id: 'h2-post-1m',
    title: 'h2 POST, 1 MB body',
    method: 'POST',
    bodyBytes: 1_048_576,
    connections: 4,
    streams: 2,
    fields: ['Content-Type', 'application/octet-stream'],
    bar: undefined,
  },
  { ...grpc, id: 'grpc', title: 'gRPC unary, h2 to h2', path: '/bench.Words/One', bar: 1.2 },
  {
    ...grpc,
    id: 'grpc-stream',
    title: `gRPC, ${streamMessages} messages of 64 bytes from the server`,
    path: '/bench.Words/Repeat',
    bar: undefined,
  },
  { ...small, id: 'log', title: 'h1 keep-alive, JSON access log', logged: true, bar: undefined },
  {
    ...policies,
    id: 'policies',
    title: 'h1 keep-alive, JSON access log, rate limit, CORS, header fields changed',
    bar: 0.9,
  },
  {
    ...policies,
    id: 'policies-changing',
    title: 'the same, query and cookie change with each request',
    changing: true,
    bar: undefined,
  },
  {
    ...policies,
    id: 'policies-lines',
    title: 'the same as policies, nginx writes its log line by line',
    logLines: true,
    bar: undefined,
  },
]

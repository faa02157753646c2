import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib'
import { acceptsCoding } from '#src/policies/accepted-coding.ts'
import { Compressor, compressorsMax, mayCompress } from '#src/policies/compressor.ts'
import { policies } from '#src/policies/index.ts'
import type { BodySink } from '#src/policies/policy.ts'
import { createFolder, manifest, startServing, startUpstream } from '#test/commands/instance.ts'
import { contextOf, fakeExchange, fieldsOf } from './exchanges.ts'
import type { Given } from './exchanges.ts'

const { compression } = policies

const accepted: readonly (readonly [field: string | undefined, gzip: boolean, br: boolean])[] = [
  [undefined, false, false],
  ['', false, false],
  ['gzip', true, false],
  ['x-gzip', true, false],
  ['GZIP, Br', true, true],
  ['deflate, br;q=0.5', false, true],
  ['gzip;q=0', false, false],
  ['gzip; q=0.000, br;q=0.001', false, true],
  ['*', true, true],
  ['*;q=0, br', false, true],
  ['gzip;q=0, *', false, true],
  ['identity', false, false],
  ['gzipped', false, false],
  [`${','.repeat(100)}gzip`, false, false],
]

for (const [field, gzip, br] of accepted) {
  test(`Accept-Encoding: ${field?.slice(0, 40)}`, () => {
    assert.deepEqual([acceptsCoding(field, 'gzip'), acceptsCoding(field, 'br')], [gzip, br])
  })
}

const options = {
  'use-gzip': true,
  'gzip-level': 1,
  'gzip-min-length': 256,
  'gzip-types': ['text/css'],
  'enable-brotli': false,
  'brotli-level': 4,
  'brotli-min-length': 20,
  'brotli-types': ['application/json'],
}

const values: readonly (readonly [value: 'default' | 'on' | 'off', codings: readonly string[]])[] =
  [
    ['default', ['gzip']],
    ['on', ['br', 'gzip']],
    ['off', []],
  ]

for (const [value, codings] of values) {
  test(`compression: ${value}`, () => {
    const config = compression.configure({ compression: value }, contextOf(options))
    assert.deepEqual(config?.codings.map(({ coding }) => coding) ?? [], codings)
  })
}

const both = compression.start(
  compression.configure({ compression: 'on' }, contextOf(options)) ?? { codings: [] },
)
const large = 10_000

const heads: readonly (readonly [
  title: string,
  given: Given & { readonly length?: number; readonly status?: number; readonly version?: number },
  coding: string,
  vary: boolean,
])[] = [
  ['HTML with gzip', { fields: { 'accept-encoding': 'gzip' } }, 'gzip', true],
  ['brotli is preferred', { fields: { 'accept-encoding': 'gzip, br' } }, 'br', true],
  ['a client that takes none', {}, '', true],
  ['an unknown length', { fields: { 'accept-encoding': 'gzip' }, length: -1 }, 'gzip', true],
  ['too short for gzip', { fields: { 'accept-encoding': 'gzip' }, length: 100 }, '', true],
  ['too short for both', { fields: { 'accept-encoding': 'gzip, br' }, length: 10 }, '', false],
  ['HEAD, as a GET', { method: 'HEAD', fields: { 'accept-encoding': 'gzip' } }, 'gzip', true],
  [
    'HEAD, which has no body',
    { method: 'HEAD', fields: { 'accept-encoding': 'gzip' }, responseEmpty: true },
    'gzip',
    true,
  ],
  ['no body', { fields: { 'accept-encoding': 'gzip' }, responseEmpty: true }, '', false],
  ['HTTP/1.0', { fields: { 'accept-encoding': 'gzip' }, version: 10 }, '', false],
  ['a part', { fields: { 'accept-encoding': 'gzip' }, status: 206 }, '', false],
  ['an error page', { fields: { 'accept-encoding': 'gzip' }, status: 404 }, 'gzip', true],
  [
    'a type that is not listed',
    { fields: { 'accept-encoding': 'gzip, br' }, answer: [['Content-Type', 'image/png']] },
    '',
    false,
  ],
  [
    'a type that only brotli takes',
    { fields: { 'accept-encoding': 'gzip' }, answer: [['Content-Type', 'application/json']] },
    '',
    true,
  ],
  [
    'a type with parameters, in any case',
    {
      fields: { 'accept-encoding': 'gzip' },
      answer: [['Content-Type', 'Text/CSS; charset=utf-8']],
    },
    'gzip',
    true,
  ],
  [
    'coded already',
    {
      fields: { 'accept-encoding': 'gzip' },
      answer: [
        ['Content-Type', 'text/html'],
        ['Content-Encoding', 'zstd'],
      ],
    },
    'zstd',
    false,
  ],
  [
    'not to be transformed',
    {
      fields: { 'accept-encoding': 'gzip' },
      answer: [
        ['Content-Type', 'text/html'],
        ['Cache-Control', 'public'],
        ['Cache-Control', 'max-age=1, No-Transform'],
      ],
    },
    '',
    false,
  ],
  [
    'told with its digest',
    {
      fields: { 'accept-encoding': 'gzip' },
      answer: [
        ['Content-Type', 'text/html'],
        ['Repr-Digest', 'sha-256=:AA==:'],
      ],
    },
    '',
    false,
  ],
  [
    'a client that says on two lines what it accepts',
    { fields: { 'accept-encoding': 'identity', 'Accept-Encoding': 'gzip' } },
    'gzip',
    true,
  ],
]

for (const [
  title,
  { length = large, status = 200, version = 11, ...given },
  coding,
  vary,
] of heads) {
  test(`which answers are compressed: ${title}`, () => {
    const { exchange, request, response } = fakeExchange({
      answer: [['Content-Type', 'text/html']],
      responseEmpty: false,
      ...given,
    })
    assert.ok(response !== undefined)
    request.version = version
    response.status = status
    response.contentLength = length
    both.responseHead?.(exchange)
    const found = new Map(fieldsOf(response.fields))
    assert.equal(found.get('content-encoding') ?? '', coding)
    assert.equal(found.get('vary') ?? '', vary ? 'Accept-Encoding' : '')
    const compresses = coding === 'gzip' || coding === 'br'
    assert.equal(response.contentLength, compresses ? -1 : length)
    // To HEAD there is no body.
    const hasBody = compresses && given.method !== 'HEAD'
    assert.equal(both.filterResponseBody?.(exchange) !== undefined, hasBody)
    both.end?.(exchange)
  })
}

const tags: readonly (readonly [before: string, after: string | undefined])[] = [
  ['"abc"', 'W/"abc"'],
  ['W/"abc"', 'W/"abc"'],
  ['abc', undefined],
]

for (const [before, after] of tags) {
  test(`an entity tag ${before} of a compressed answer`, () => {
    const { exchange, response } = fakeExchange({
      fields: { 'accept-encoding': 'gzip' },
      answer: [
        ['Content-Type', 'text/html'],
        ['ETag', before],
        ['Accept-Ranges', 'bytes'],
        ['Vary', 'Origin, accept-encoding'],
      ],
      responseEmpty: false,
    })
    assert.ok(response !== undefined)
    response.status = 200
    both.responseHead?.(exchange)
    const found = fieldsOf(response.fields)
    assert.equal(found.find(([name]) => name === 'etag')?.[1], after)
    assert.equal(found.filter(([name]) => name === 'vary').length, 1)
    assert.ok(!found.some(([name]) => name === 'accept-ranges'))
    both.end?.(exchange)
  })
}

function collector(): { readonly sink: BodySink; readonly bytes: () => Buffer } {
  const chunks: Buffer[] = []
  const sink: BodySink = {
    write(buffer, start, end) {
      chunks.push(Buffer.from(buffer.subarray(start, end)))
      return true
    },
    writeText: () => true,
  }
  return { sink, bytes: () => Buffer.concat(chunks) }
}

test('a request whose Accept-Encoding a policy took from the upstream is answered compressed', () => {
  const config = { codings: [{ coding: 'gzip', level: 1, bytesMin: 1, types: [] }] } as const
  const { exchange, request, response } = fakeExchange({
    fields: { 'accept-encoding': 'gzip' },
    answer: [['Content-Type', 'text/html']],
  })
  request.version = 11
  if (response === undefined) assert.fail('there is an answer')
  response.status = 200
  request.fields.remove('accept-encoding')
  const phases = compression.start(config)
  phases.responseHead?.(exchange)
  assert.equal(response.fields.get('content-encoding'), 'gzip')
  phases.end?.(exchange)
})

test('whatever the pieces, the client gets the body back', () => {
  for (const [coding, decode] of [
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
  ] as const) {
    for (const pieces of [[], [''], ['a'], ['a', '', 'b'.repeat(200_000), 'c']]) {
      const { sink, bytes } = collector()
      const compressor = new Compressor(coding, 1)
      for (const piece of pieces) compressor.onChunk(Buffer.from(piece), 0, piece.length, sink)
      compressor.onEnd(sink)
      assert.equal(decode(bytes()).toString(), pieces.join(''))
    }
  }
})

test('a worker compresses a bounded number of bodies at once; the rest go as they are', () => {
  const open = Array.from({ length: compressorsMax }, () => new Compressor('gzip', 1))
  assert.equal(mayCompress(), false)
  let noted = 0
  const { exchange, response } = fakeExchange({
    fields: { 'accept-encoding': 'gzip' },
    answer: [['Content-Type', 'text/html']],
    responseEmpty: false,
    noteUncompressed: () => noted++,
  })
  assert.ok(response !== undefined)
  response.status = 200
  both.responseHead?.(exchange)
  assert.equal(noted, 1)
  assert.deepEqual(fieldsOf(response.fields), [
    ['content-type', 'text/html'],
    ['vary', 'Accept-Encoding'],
  ])
  for (const compressor of open) {
    compressor.close()
    compressor.close()
  }
  assert.equal(mayCompress(), true)
})

async function get(port: number, path: string): Promise<IncomingMessage> {
  const asked = httpRequest({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    headers: { host: 'a.example', 'accept-encoding': 'gzip' },
  })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return response
}

test('over sockets: whole bodies, and streams of which every piece arrives at once', async (t) => {
  const text = 'a line of some text\n'.repeat(50_000)
  const upstream = await startUpstream(t, (request, response) => {
    response.setHeader('content-type', 'text/plain')
    if (request.url === '/whole') response.end(text)
    else response.write('first\n')
    if (request.url !== '/whole') setImmediate(() => response.flushHeaders())
  })
  const folder = createFolder(t, {
    'a.yaml': manifest('a.example', upstream),
    'options.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: options, namespace: test }\ndata: { use-gzip: "true" }\n',
  })
  const { ports } = await startServing(t, folder, ['--configmap=test/options'])
  const whole = await get(ports.http, '/whole')
  assert.equal(whole.headers['content-encoding'], 'gzip')
  assert.equal(whole.headers['content-length'], undefined)
  const chunks = (await whole.toArray()) as Buffer[]
  const bytes = Buffer.concat(chunks)
  assert.ok(bytes.length < text.length / 20)
  assert.equal(gunzipSync(bytes).toString(), text)
  // The upstream never ends this one: what it has sent must be readable all the same.
  const stream = await get(ports.http, '/stream')
  const [first] = (await once(stream.pipe(createGunzip()), 'data')) as [Buffer]
  assert.equal(first.toString(), 'first\n')
  stream.destroy()
})

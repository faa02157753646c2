import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { HpackDecoder } from '#src/http2/hpack/decoder.ts'
import { HpackEncoder } from '#src/http2/hpack/encoder.ts'
import { sentFieldName } from '#src/http2/hpack/field-name.ts'
import {
  decodedBytesMax,
  huffmanBytes,
  huffmanDecode,
  huffmanEncode,
} from '#src/http2/hpack/huffman.ts'
import { staticTable } from '#src/http2/hpack/static-table.ts'
import { Output } from '#src/http2/session/output.ts'
import { memoryPair } from '#test/support/memory-pair.ts'

interface Told {
  readonly fields: string[]
  readonly never: string[]
  readonly invalid: string[]
  readonly result: string
}

function decode(decoder: HpackDecoder, hex: string | Buffer): Told {
  const block = typeof hex === 'string' ? Buffer.from(hex.replaceAll(' ', ''), 'hex') : hex
  const told = { fields: [] as string[], never: [] as string[], invalid: [] as string[] }
  const result = decoder.decode(block, 0, block.length, {
    onField: (name, value, valid, neverIndexed) => {
      told.fields.push(`${name.name}: ${value}`)
      if (neverIndexed) told.never.push(name.name)
      if (!valid) told.invalid.push(name.name)
    },
  })
  return { ...told, result }
}

const requests = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [
    ':method: GET',
    ':scheme: http',
    ':path: /',
    ':authority: www.example.com',
    'cache-control: no-cache',
  ],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
]

const responses = [
  [
    ':status: 302',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ],
  [
    ':status: 307',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ],
  [
    ':status: 200',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:22 GMT',
    'location: https://www.example.com',
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
]

/** RFC 7541, Appendix C.2 to C.6: block, fields, size of the dynamic table behind it. */
const appendixC: {
  name: string
  table: number
  blocks: readonly (readonly [hex: string, fields: readonly string[], tableBytes: number])[]
}[] = [
  {
    name: 'C.2.1 literal with indexing',
    table: 4096,
    blocks: [
      [
        '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
        ['custom-key: custom-header'],
        55,
      ],
    ],
  },
  {
    name: 'C.2.2 literal without indexing',
    table: 4096,
    blocks: [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path'], 0]],
  },
  {
    name: 'C.2.3 literal never indexed',
    table: 4096,
    blocks: [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret'], 0]],
  },
  { name: 'C.2.4 indexed', table: 4096, blocks: [['82', [':method: GET'], 0]] },
  {
    name: 'C.3 requests without Huffman coding',
    table: 4096,
    blocks: [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', requests[0] as string[], 57],
      ['8286 84be 5808 6e6f 2d63 6163 6865', requests[1] as string[], 110],
      [
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
        requests[2] as string[],
        164,
      ],
    ],
  },
  {
    name: 'C.4 requests with Huffman coding',
    table: 4096,
    blocks: [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', requests[0] as string[], 57],
      ['8286 84be 5886 a8eb 1064 9cbf', requests[1] as string[], 110],
      ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', requests[2] as string[], 164],
    ],
  },
  {
    name: 'C.5 responses without Huffman coding, with eviction',
    table: 256,
    blocks: [
      [
        '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a' +
          '3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        responses[0] as string[],
        222,
      ],
      ['4803 3330 37c1 c0bf', responses[1] as string[], 222],
      [
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04' +
          '677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49' +
          '553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
        responses[2] as string[],
        215,
      ],
    ],
  },
  {
    name: 'C.6 responses with Huffman coding, with eviction',
    table: 256,
    blocks: [
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e' +
          '919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        responses[0] as string[],
        222,
      ],
      ['4883 640e ffc1 c0bf', responses[1] as string[], 222],
      [
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7' +
          '821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed' +
          '4ee5 b106 3d50 07',
        responses[2] as string[],
        215,
      ],
    ],
  },
]

for (const { name, table, blocks } of appendixC) {
  test(`RFC 7541 ${name}`, () => {
    const decoder = new HpackDecoder(table, 1 << 20)
    for (const [hex, fields, tableBytes] of blocks) {
      const told = decode(decoder, hex)
      assert.equal(told.result, 'ok')
      assert.deepEqual(told.fields, fields)
      assert.equal(decoder.tableBytes, tableBytes)
      assert.deepEqual(told.invalid, [])
    }
  })
}

test('RFC 7541 C.2.3: never indexed is told', () => {
  const told = decode(new HpackDecoder(4096, 4096), '1008 7061 7373 776f 7264 0673 6563 7265 74')
  assert.deepEqual(told.never, ['password'])
})

test('the static table has the 61 entries of Appendix A', () => {
  assert.equal(staticTable.length, 61)
  for (const [i, [name, value]] of staticTable.entries()) {
    const told = decode(new HpackDecoder(4096, 4096), Buffer.from([0x80 | (i + 1)]))
    assert.deepEqual(told.fields, [`${name}: ${value}`])
  }
})

/** Blocks that must be COMPRESSION_ERROR. */
const broken: readonly (readonly [why: string, hex: string])[] = [
  ['index 0', '80'],
  ['an index beyond the tables', 'be'],
  ['a far index', 'ff ff ff 07'],
  ['an integer cut off', 'ff'],
  ['an integer of six octets', 'ff 80 80 80 80 80 01'],
  ['an integer beyond 32 bits', 'ff ff ff ff ff ff 7f'],
  ['a literal without name', '40'],
  ['a literal without value', '40 01 61'],
  ['a name longer than the block', '00 05 61'],
  ['a value longer than the block', '00 01 61 7f ff 7f 61'],
  ['the index of a name beyond the tables', '7e 01 61'],
  ['Huffman: EOS inside', '00 01 61 84 ff ff ff ff'],
  ['Huffman: padding of eight ones', '00 01 61 82 1f ff'],
  ['Huffman: padding with a zero', '00 01 61 81 1e'],
  ['a table larger than announced', '3f e2 1f'],
  ['a size update amid a block', '82 20'],
  ['three size updates', '20 20 20 82'],
]

for (const [why, hex] of broken) {
  test(`the decoder refuses ${why}`, () => {
    assert.equal(decode(new HpackDecoder(4096, 65_536), hex).result, 'error')
  })
}

test('size updates evict and may come twice', () => {
  const decoder = new HpackDecoder(4096, 65_536)
  decode(decoder, '40 01 61 01 62')
  assert.equal(decoder.tableBytes, 34)
  assert.equal(decode(decoder, '20 3f e1 1f 82').result, 'ok')
  assert.equal(decoder.tableBytes, 0)
})

test('an entry larger than the table empties it', () => {
  const decoder = new HpackDecoder(64, 65_536)
  decode(decoder, '40 01 61 01 62')
  const value = Buffer.alloc(60, 0x78)
  const told = decode(decoder, Buffer.concat([Buffer.from('4001613c', 'hex'), value]))
  assert.equal(told.result, 'ok')
  assert.equal(decoder.tableBytes, 0)
})

test('a list that expands beyond its limit is decoded and not told (HPACK bomb)', () => {
  const decoder = new HpackDecoder(4096, 16_384)
  const value = Buffer.alloc(3000, 0x78)
  const head = Buffer.concat([Buffer.from('4001617fb916', 'hex'), value])
  const told = decode(decoder, Buffer.concat([head, Buffer.alloc(10_000, 0xbe)]))
  assert.equal(told.result, 'too-large')
  assert.ok(told.fields.length <= 16_384 / 3000)
  // The table is in step all the same.
  assert.deepEqual(decode(decoder, 'be').fields.length, 1)
})

const badValues: readonly (readonly [string, string])[] = [
  ['CR', 'a\rb'],
  ['LF', 'a\nb'],
  ['NUL', 'a\0b'],
  ['DEL', 'a\x7f'],
  ['a control', 'a\x01'],
  ['a leading space', ' a'],
  ['a trailing tab', 'a\t'],
]
for (const [why, value] of badValues) {
  test(`a value with ${why} is told to be invalid, from the table too`, () => {
    const decoder = new HpackDecoder(4096, 65_536)
    const bytes = Buffer.from(value, 'latin1')
    const told = decode(
      decoder,
      Buffer.concat([Buffer.from([0x40, 1, 0x61, bytes.length]), bytes, Buffer.from([0xbe])]),
    )
    assert.deepEqual(told.invalid, ['a', 'a'])
  })
}

const latin1 = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 200 })
  .map((codes) => String.fromCharCode(...codes))

test('Huffman: every text comes back', () => {
  fc.assert(
    fc.property(latin1, (text) => {
      const coded = Buffer.alloc(huffmanBytes(text) + 8)
      const end = huffmanEncode(text, coded, 0)
      assert.equal(end, huffmanBytes(text))
      const decoded = Buffer.alloc(decodedBytesMax(end))
      const length = huffmanDecode(coded, 0, end, decoded)
      assert.equal(decoded.latin1Slice(0, length), text)
    }),
  )
})

test('Huffman: any bytes decode or are refused, and what decodes codes to the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const decoded = Buffer.alloc(decodedBytesMax(bytes.length))
      const length = huffmanDecode(bytes, 0, bytes.length, decoded)
      if (length < 0) return
      const again = Buffer.alloc(bytes.length + 8)
      const end = huffmanEncode(decoded.latin1Slice(0, length), again, 0)
      assert.deepEqual([...again.subarray(0, end)], [...bytes])
    }),
    { numRuns: 2000 },
  )
})

const name = fc.constantFrom('x-a', 'x-b', 'content-type', 'authorization', 'x-quite-a-long-name')
const value = fc.oneof(
  fc.constantFrom('', 'a', 'text/html', 'no-cache', 'x'.repeat(300)),
  fc
    .array(fc.integer({ min: 0x21, max: 0xff }), { maxLength: 40 })
    .map((codes) => String.fromCharCode(...codes.filter((code) => code !== 0x7f))),
)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 8192 }) },
)

test('what the encoder writes is what the decoder reads, whatever the table sizes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const [end] = memoryPair()
      const out = new Output(end)
      const encoder = new HpackEncoder(4096)
      const decoder = new HpackDecoder(8192, 1 << 24)
      for (const one of steps) {
        if (typeof one === 'number') {
          encoder.allow(one)
          continue
        }
        const start = out.length
        encoder.begin(out)
        for (const [fieldName, fieldValue] of one) {
          encoder.field(out, sentFieldName(fieldName), fieldValue)
        }
        const told = decode(decoder, Buffer.from(out.buffer.subarray(start, out.length)))
        assert.equal(told.result, 'ok')
        assert.deepEqual(
          told.fields,
          one.map(([fieldName, fieldValue]) => `${fieldName}: ${fieldValue}`),
        )
        assert.equal(encoder.tableBytes, decoder.tableBytes)
        assert.ok(encoder.tableBytes <= 4096)
        const secrets = one.filter(([fieldName]) => fieldName === 'authorization')
        assert.equal(told.never.length, secrets.length)
      }
    }),
    { numRuns: 300 },
  )
})

test('a field that repeats costs a byte from the third time on; one that does not stays out', () => {
  const [end] = memoryPair()
  const out = new Output(end)
  const encoder = new HpackEncoder(4096)
  const lengths: number[] = []
  for (let i = 0; i < 4; i++) {
    const start = out.length
    encoder.field(out, sentFieldName('Cache-Control'), 'max-age=3600, public')
    lengths.push(out.length - start)
    encoder.field(out, sentFieldName('X-Request-Id'), `id-${i}-${i * 7919}`)
  }
  assert.ok((lengths[0] as number) > 10 && (lengths[1] as number) > 10)
  assert.deepEqual(lengths.slice(2), [1, 1])
  assert.equal(encoder.tableBytes, 'cache-control'.length + 'max-age=3600, public'.length + 32)
})

test('characters beyond latin1 cannot become line breaks', () => {
  const [end] = memoryPair()
  const out = new Output(end)
  new HpackEncoder(4096).field(out, sentFieldName('x-a'), 'a\u010d\u010ab')
  const told = decode(new HpackDecoder(4096, 4096), Buffer.from(out.buffer.subarray(0, out.length)))
  assert.deepEqual(told.fields, ['x-a: a??b'])
})

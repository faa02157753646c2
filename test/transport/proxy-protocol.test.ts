import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readProxyHeader } from '#src/transport/proxy-protocol.ts'

const signature = '0d0a0d0a000d0a515549540a'

/** A header of version 2, written in hexadecimal without its signature. */
function v2(hex: string): Buffer {
  return Buffer.from(signature + hex.replaceAll(' ', ''), 'hex')
}

function v1(line: string): Buffer {
  return Buffer.from(line, 'latin1')
}

function from(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
): object {
  return {
    source: { address: source, port: sourcePort },
    destination: { address: destination, port: destinationPort },
  }
}

const unix = `${'2f'.padEnd(216, '00')}${'2f'.padEnd(216, '00')}`

const headers: [string, Buffer, object | undefined][] = [
  [
    'v1 IPv4',
    v1('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n'),
    from('192.0.2.1', 56324, '198.51.100.2', 443),
  ],
  [
    'v1 the longest addresses',
    v1('PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n'),
    from('255.255.255.255', 65535, '255.255.255.255', 65535),
  ],
  ['v1 IPv6', v1('PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 1 0\r\n'), from('2001:db8::1', 1, '::1', 0)],
  [
    'v1 the longest line',
    v1(`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`),
    from(
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      65535,
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      65535,
    ),
  ],
  [
    'v1 an IPv4 address in IPv6',
    v1('PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.8 5 6\r\n'),
    from('192.0.2.7', 5, '192.0.2.8', 6),
  ],
  ['v1 unknown', v1('PROXY UNKNOWN\r\n'), undefined],
  ['v1 unknown with words', v1(`PROXY UNKNOWN ${'f'.repeat(80)}\r\n`), undefined],
  [
    'v2 IPv4',
    v2('21 11 000c c0000201 c6336402 dc04 01bb'),
    from('192.0.2.1', 56324, '198.51.100.2', 443),
  ],
  [
    'v2 IPv4 and datagrams',
    v2('21 12 000c c0000201 c6336402 dc04 01bb'),
    from('192.0.2.1', 56324, '198.51.100.2', 443),
  ],
  [
    'v2 IPv6',
    v2('21 21 0024 20010db8000000000000000000000001 00000000000000000000000000000001 dc04 01bb'),
    from('2001:db8::1', 56324, '::1', 443),
  ],
  [
    'v2 IPv4 in IPv6',
    v2('21 21 0024 00000000000000000000ffffc0000201 00000000000000000000ffffc0000202 dc04 01bb'),
    from('192.0.2.1', 56324, '192.0.2.2', 443),
  ],
  ['v2 UNIX', v2(`21 31 00d8 ${unix}`), undefined],
  ['v2 local', v2('20 00 0000'), undefined],
  [
    'v2 local with addresses that do not count',
    v2('20 11 000c c0000201 c6336402 dc04 01bb'),
    undefined,
  ],
  ['v2 local with anything', v2('20 11 0003 aabbcc'), undefined],
  ['v2 unspecified', v2('21 00 0000'), undefined],
  [
    'v2 extensions',
    v2('21 11 0017 c0000201 c6336402 dc04 01bb 01 0002 6832 04 0000 05 0000'),
    from('192.0.2.1', 56324, '198.51.100.2', 443),
  ],
]
for (const [what, bytes, addresses] of headers) {
  test(`${what}: read, and incomplete before its last byte`, () => {
    const behind = Buffer.concat([Buffer.from('x'), bytes, Buffer.from('GET / HTTP/1.1')])
    for (let end = 1; end < 1 + bytes.length; end++) {
      assert.equal(readProxyHeader(behind, 1, end), 'incomplete', `${end - 1} bytes`)
    }
    for (const end of [1 + bytes.length, 2 + bytes.length, behind.length]) {
      assert.deepEqual(readProxyHeader(behind, 1, end), { length: bytes.length, addresses })
    }
  })
}

const refusals: [string, Buffer][] = [
  ['a request', v1('GET / HTTP/1.1\r\n')],
  ['another first byte', v1('\u{16}')],
  ['lower case', v1('proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n')],
  ['v1 another protocol', v1('PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n')],
  ['v1 no protocol', v1('PROXY \r\n')],
  ['v1 two spaces', v1('PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n')],
  ['v1 a space at the end', v1('PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n')],
  ['v1 too few words', v1('PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n')],
  ['v1 a leading zero', v1('PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n')],
  ['v1 a port too large', v1('PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n')],
  ['v1 a negative port', v1('PROXY TCP4 192.0.2.1 192.0.2.2 1 -2\r\n')],
  ['v1 IPv6 under TCP4', v1('PROXY TCP4 ::1 ::1 1 2\r\n')],
  ['v1 IPv4 under TCP6', v1('PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n')],
  ['v1 a zone', v1('PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n')],
  ['v1 an octet of 256', v1('PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n')],
  ['v1 a line feed alone', v1(`PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n${'x'.repeat(100)}`)],
  ['v1 a carriage return alone', v1('PROXY TCP4 192.0.2.1\rx')],
  ['v1 too long', v1(`PROXY UNKNOWN ${'x'.repeat(100)}\r\n`)],
  ['v2 another version', v2('11 11 000c c0000201 c6336402 dc04 01bb')],
  ['v2 another command', v2('22 11 000c c0000201 c6336402 dc04 01bb')],
  ['v2 another family', v2('21 41 000c c0000201 c6336402 dc04 01bb')],
  ['v2 another transport', v2('21 13 000c c0000201 c6336402 dc04 01bb')],
  ['v2 too short for IPv4', v2('21 11 000b c0000201 c6336402 dc04 01')],
  ['v2 too short for IPv6', v2('21 21 000c c0000201 c6336402 dc04 01bb')],
  ['v2 too long', v2('21 11 0ff1')],
  ['v2 an extension that is cut off', v2('21 11 000e c0000201 c6336402 dc04 01bb 0100')],
  ['v2 an extension that leads out', v2('21 11 0010 c0000201 c6336402 dc04 01bb 01 0002 68')],
]
for (const [what, bytes] of refusals) {
  test(`refused: ${what}`, () => {
    const result = readProxyHeader(bytes, 0, bytes.length)
    assert.ok(typeof result === 'object' && 'problem' in result, JSON.stringify(result))
    assert.match(result.problem, /PROXY/)
  })
}

test('any bytes get an answer, and more bytes do not change a final one', () => {
  const starts = [...headers.map(([, bytes]) => bytes), Buffer.alloc(0)]
  fc.assert(
    fc.property(
      fc.constantFrom(...starts),
      fc.nat(60),
      fc.uint8Array({ maxLength: 120 }),
      (start, kept, rest) => {
        const bytes = Buffer.concat([start.subarray(0, kept), rest])
        let before = readProxyHeader(bytes, 0, 0)
        for (let end = 1; end <= bytes.length; end++) {
          const now = readProxyHeader(bytes, 0, end)
          if (before !== 'incomplete') assert.deepEqual(now, before)
          before = now
        }
      },
    ),
    { numRuns: 500 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClientIdentity } from '#src/proxy/client-identity.ts'
import { forwardingBlock } from '#src/proxy/forwarding-blocks.ts'

// Blocks are kept by address and host; whoever asks gets what tells of him, and of nobody else.

/** Few of each, and such that many fall on one place. */
const identity: fc.Arbitrary<ClientIdentity> = fc.record({
  clientAddress: fc.constantFrom('192.0.2.1', '192.0.3.1', '192.0.2.11', '2001:db8::1', '::1', ''),
  forwardedProto: fc.constantFrom('http', 'https', 'wss'),
  scheme: fc.constant('http' as const),
  port: fc.constantFrom(80, 443, 8080),
  publicHost: fc.constantFrom('a.test', 'a.best', 'b.test:8080', '[::1]', ''),
  vouchedFields: fc.constant(0),
})

test('a block tells of its client', () => {
  const asked = fc.array(fc.tuple(identity, fc.constantFrom('', '198.51.100.1, ')), {
    minLength: 50,
    maxLength: 200,
  })
  fc.assert(
    fc.property(asked, (all) => {
      for (const [client, chain] of all) {
        const { clientAddress, forwardedProto, port, publicHost } = client
        const forwardedFor = chain + clientAddress
        assert.deepEqual(
          forwardingBlock(client, forwardedFor).pairs,
          [
            ['X-Real-IP', clientAddress],
            ['X-Forwarded-For', forwardedFor],
            ['X-Forwarded-Host', publicHost],
            ['X-Forwarded-Port', String(port)],
            ['X-Forwarded-Proto', forwardedProto],
            ['X-Forwarded-Scheme', forwardedProto],
            ['X-Scheme', forwardedProto],
          ].flat(),
        )
      }
    }),
    { numRuns: 50 },
  )
})

test('a client that comes back finds its block', () => {
  const client: ClientIdentity = {
    clientAddress: '192.0.2.7',
    forwardedProto: 'http',
    scheme: 'http',
    port: 80,
    publicHost: 'a.test',
    vouchedFields: 0,
  }
  const block = forwardingBlock(client, '192.0.2.7')
  assert.equal(forwardingBlock({ ...client }, '192.0.2.7'), block)
  assert.notEqual(forwardingBlock({ ...client, port: 443 }, '192.0.2.7'), block)
})

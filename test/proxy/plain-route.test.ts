import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { TestContext } from 'node:test'
import { getHeapStatistics } from 'node:v8'
import { originList } from '#src/policies/cors-origins.ts'
import { policyList } from '#src/policies/index.ts'
import type { Phases, PolicyUse } from '#src/policies/policy.ts'
import { TestPlane } from '#test/support/plane.ts'
import { StillTransport } from '#test/support/still-transport.ts'
import type { StillConnection } from '#test/support/still-transport.ts'

// A route without policies pays for none: no function of theirs runs, and not a byte more is allocated.

const limits = {
  name: 'shop/dressed',
  connections: 0,
  perSecond: 1_000_000,
  perMinute: 0,
  burstMultiplier: 5,
  exempt: [],
  rateStatus: 503,
  connectionStatus: 503,
}

const uses: readonly PolicyUse[] = [
  {
    name: 'cors',
    config: { origins: originList.parse('https://a.example'), fields: ['X-A', '1'] },
  },
  { name: 'custom-headers', config: { fields: ['X-B', '2'] } },
  { name: 'limits', config: limits },
  { name: 'hide-headers', config: { names: ['X-C'] } },
]

const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: x\r\nX-C: 3\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
)

/** A data plane in memory with a host that has no policies and one that has some, and one client. */
async function stage(t: TestContext) {
  const transport = new StillTransport()
  const plane = await TestPlane.start({
    upstreams: [8080],
    transport,
    hosts: ['plain.example', 'dressed.example'],
    policies: { 'dressed.example': uses },
    settings: { accessLog: false },
    options: { hsts: '', keepAliveRequests: 1e9, upstreamKeepAliveRequests: 1e9 },
  })
  t.after(() => plane.stop())
  const client = transport.open()
  let upstream: StillConnection | undefined
  const exchange = (request: Buffer): void => {
    client.handler.onData(request, 0, request.length)
    upstream?.handler.onData(answer, 0, answer.length)
  }
  // The first one opens the connection to the upstream, which takes a turn.
  exchange(plainRequest)
  await new Promise((resolve) => setImmediate(resolve))
  upstream = transport.upstreams[0] as StillConnection
  upstream.handler.onData(answer, 0, answer.length)
  return { client, exchange }
}

const plainRequest = requestFor('plain.example')
const dressedRequest = requestFor('dressed.example')

function requestFor(host: string, path = ''): Buffer {
  const fields = `Host: ${host}\r\nUser-Agent: wrk\r\nOrigin: https://a.example\r\n`
  return Buffer.from(`GET /a/b${path}?c=d HTTP/1.1\r\n${fields}\r\n`)
}

test('on a route without policies no policy function runs', async (t) => {
  let calls = 0
  for (const [, definition] of policyList) {
    const start = definition.start.bind(definition)
    mock.method(definition, 'start', (config: object) => counted(start(config), () => calls++))
  }
  t.after(() => mock.restoreAll())
  const { client, exchange } = await stage(t)
  calls = 0
  exchange(plainRequest)
  assert.equal(calls, 0)
  assert.doesNotMatch(client.written.latin1Slice(0, client.writtenBytes), /X-B/)
  exchange(dressedRequest)
  // cors and limits on the way there; cors on the way back, with what custom-headers and hide-headers do.
  assert.equal(calls, 3)
  assert.match(client.written.latin1Slice(0, client.writtenBytes), /^X-A: 1\r$/m)
  assert.doesNotMatch(client.written.latin1Slice(0, client.writtenBytes), /X-C/)
  assert.match(client.written.latin1Slice(0, client.writtenBytes), /^X-B: 2\r$/m)
})

/** The same phases; each call is told. */
function counted(phases: Phases, tell: () => void): Phases {
  return new Proxy(phases, {
    get(target, name: keyof Phases) {
      const phase: unknown = target[name]
      if (typeof phase !== 'function') return phase
      return (...args: unknown[]): unknown => {
        tell()
        return Reflect.apply(phase, target, args)
      }
    },
  })
}

const requests = 10_000
/**
 * What such a request allocated at commit faa7659, before there were the policies of ingress-nginx: 2340
 * bytes, counted in the same way; 5 % are for what the engine does aside, which differs between runs.
 */
const bytesMax = 2340 * 1.05

for (const repeated of [true, false]) {
  test(`a request allocates no more than before there were policies, ${repeated ? 'repeated' : 'each another'}`, async (t) => {
    const { client, exchange } = await stage(t)
    const others = repeated ? [''] : ['one', 'other', 'a-third']
    const plain = bytesPerRequest(
      exchange,
      others.map((path) => requestFor('plain.example', path)),
    )
    assert.ok(plain <= bytesMax, `${plain.toFixed(0)} bytes a request`)
    const dressed = bytesPerRequest(
      exchange,
      others.map((path) => requestFor('dressed.example', path)),
    )
    assert.ok(
      dressed > plain + 100,
      `only ${dressed.toFixed(0)} bytes with policies: what is measured?`,
    )
    assert.ok(client.writes > 2 * requests)
  })
}

/** The least of some rounds: code is compiled in the first ones, and garbage of others does not repeat. */
function bytesPerRequest(exchange: (request: Buffer) => void, heads: readonly Buffer[]): number {
  let least = Infinity
  for (let round = 0; round < 20; round++) {
    const before = getHeapStatistics().total_allocated_bytes
    for (let turn = 0; turn < requests; turn++) exchange(heads[turn % heads.length] as Buffer)
    least = Math.min(least, (getHeapStatistics().total_allocated_bytes - before) / requests)
  }
  return least
}

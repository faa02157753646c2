import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Peer } from '#src/exchange/streams.ts'
import { filterConnection, handOn } from '#src/transport/listener-filter.ts'
import type { FilterSettings, FilteredConnection } from '#src/transport/listener-filter.ts'
import { RawTransport } from '#src/transport/raw.ts'
import type { Connection } from '#src/transport/transport.ts'
import { unheard } from '#src/transport/unheard.ts'
import { finish } from './contract-streams.ts'
import { Recorder } from './recorder.ts'
import { clientOf, serverOf, siteA } from './tls-sites.ts'

const proxyLine = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n')
/** A ClientHello for `a.test` with nothing optional but the name. */
const hello = Buffer.from(
  `160301003e 0100003a 0303 ${'07'.repeat(32)} 00 0002 1301 01 00 000f 0000 000b 0009 00 0006 612e74657374`.replaceAll(
    ' ',
    '',
  ),
  'hex',
)

class FakeConnection implements Connection {
  handler = unheard
  peer: Peer = {
    address: '10.0.0.9',
    port: 4000,
    localAddress: '10.0.0.1',
    localPort: 443,
    socketAddress: '10.0.0.9',
    scheme: 'http',
    tls: undefined,
  }
  readonly backedUp = false
  reading = false
  destroyed = false
  writeText(): boolean {
    return true
  }
  writeLater(): void {}
  writeBytes(): boolean {
    return true
  }
  pause(): void {
    this.reading = false
  }
  resume(): void {
    this.reading = true
  }
  setBulk(): void {
    // Nothing to fill.
  }
  end(): void {
    // Nothing to end.
  }
  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.handler.onClose('')
  }
  reset(): void {
    this.destroy()
  }
}

interface Run {
  readonly connection: FakeConnection
  readonly wheel: TimerWheel
  readonly ready: { readonly filtered: FilteredConnection; readonly unread: string }[]
  readonly dropped: string[]
  readonly feed: (bytes: Buffer, chunk?: number) => void
}

function run(settings: Partial<FilterSettings>): Run {
  const connection = new FakeConnection()
  const wheel = new TimerWheel(0)
  const ready: Run['ready'] = []
  const dropped: string[] = []
  filterConnection(connection, {
    proxyProtocol: false,
    clientHello: false,
    wheel,
    trustsProxy: () => true,
    onReady: (filtered) => ready.push({ filtered, unread: filtered.unread.toString('latin1') }),
    onDropped: (_connection, problem) => dropped.push(problem),
    ...settings,
  })
  return {
    connection,
    wheel,
    ready,
    dropped,
    feed(bytes, chunk = bytes.length) {
      // As a transport does: every chunk in the same memory, which is overwritten.
      const memory = Buffer.alloc(chunk + 1)
      for (let at = 0; at < bytes.length && ready.length + dropped.length === 0; at += chunk) {
        const size = bytes.copy(memory, 1, at, at + chunk)
        connection.handler.onData(memory, 1, 1 + size)
        memory.fill(0x7e)
      }
    },
  }
}

test('without filters the connection is handed on unread', () => {
  const { ready, connection, wheel } = run({})
  assert.equal(ready.length, 1)
  assert.equal(ready[0]?.unread, '')
  assert.equal(connection.reading, false)
  assert.equal(wheel.size, 0)
})

for (const chunk of [1, 3, 1000]) {
  test(`a PROXY header is taken off, in reads of ${chunk}`, () => {
    const { ready, connection, wheel, feed } = run({ proxyProtocol: true })
    assert.equal(connection.reading, true)
    feed(proxyLine, chunk)
    assert.equal(ready.length, 1)
    assert.equal(ready[0]?.unread, '')
    const { address, port, localAddress, localPort, socketAddress } = connection.peer
    assert.deepEqual(
      [address, port, localAddress, localPort, socketAddress],
      ['192.0.2.1', 56324, '198.51.100.2', 443, '10.0.0.9'],
    )
    assert.equal(wheel.size, 0)
  })

  test(`a PROXY header and a ClientHello, in reads of ${chunk}`, () => {
    const { ready, connection, wheel, feed } = run({ proxyProtocol: true, clientHello: true })
    feed(Buffer.concat([proxyLine, hello]), chunk)
    assert.equal(ready.length, 1)
    assert.equal(ready[0]?.unread, hello.toString('latin1'))
    assert.equal(ready[0].filtered.hello?.serverName, 'a.test')
    assert.equal(ready[0].filtered.plainHttp, false)
    assert.equal(connection.peer.address, '192.0.2.1')
    assert.equal(wheel.size, 0)
  })

  test(`plain HTTP where TLS was meant, in reads of ${chunk}`, () => {
    const { ready, feed } = run({ proxyProtocol: true, clientHello: true })
    feed(Buffer.concat([proxyLine, Buffer.from('GET / HTTP/1.1\r\n')]), chunk)
    assert.equal(ready[0]?.filtered.plainHttp, true)
    assert.equal(ready[0].filtered.hello, undefined)
    assert.equal(ready[0].unread[0], 'G')
  })
}

test('what follows the PROXY header stays to be read', () => {
  const { ready, feed } = run({ proxyProtocol: true })
  feed(Buffer.concat([proxyLine, Buffer.from('GET / HTTP/1.1\r\n\r\n')]))
  const filtered = ready[0]?.filtered as FilteredConnection
  assert.equal(ready[0]?.unread, 'GET / HTTP/1.1\r\n\r\n')
  const next = new Recorder()
  next.connection = filtered.connection
  handOn({ ...filtered, unread: Buffer.from('GET') }, next)
  assert.equal(filtered.connection.handler, next)
  assert.equal(next.text, 'GET')
})

test('a PROXY header of a peer that is not trusted is taken off and not believed', () => {
  const asked: string[] = []
  const { ready, connection, feed } = run({
    proxyProtocol: true,
    trustsProxy: (address) => {
      asked.push(address)
      return false
    },
  })
  feed(Buffer.concat([proxyLine, Buffer.from('x')]))
  assert.equal(ready[0]?.unread, 'x')
  assert.equal(connection.peer.address, '10.0.0.9')
  assert.deepEqual(asked, ['10.0.0.9'])
})

const drops: [string, Partial<FilterSettings>, Buffer, RegExp][] = [
  ['a missing PROXY header', { proxyProtocol: true }, Buffer.from('GET /'), /no PROXY header/],
  ['a malformed one', { proxyProtocol: true }, Buffer.from('PROXY TCP9 x\r\n'), /malformed PROXY/],
  [
    'a malformed ClientHello',
    { clientHello: true },
    Buffer.from([0x80, 1]),
    /malformed ClientHello/,
  ],
]
for (const [what, settings, bytes, problem] of drops) {
  test(`${what} closes the connection and tells why`, () => {
    const { ready, dropped, connection, wheel, feed } = run(settings)
    feed(bytes)
    assert.equal(ready.length, 0)
    assert.equal(connection.destroyed, true)
    assert.equal(dropped.length, 1)
    assert.match(dropped[0] as string, problem)
    assert.equal(wheel.size, 0)
  })
}

test('a peer that goes away is no problem', () => {
  const { dropped, connection } = run({ clientHello: true })
  connection.handler.onEnd()
  assert.deepEqual(dropped, [''])
})

test('each stage has a time of its own', () => {
  const settings = {
    proxyProtocol: true,
    clientHello: true,
    proxyTimeoutMs: 5000,
    helloTimeoutMs: 60_000,
  }
  const slowProxy = run(settings)
  slowProxy.feed(proxyLine.subarray(0, 10))
  slowProxy.wheel.advance(4900)
  assert.deepEqual(slowProxy.dropped, [])
  slowProxy.wheel.advance(5200)
  assert.deepEqual(slowProxy.dropped, ['no PROXY header in time'])

  const slowHello = run(settings)
  slowHello.wheel.advance(4000)
  slowHello.feed(proxyLine)
  slowHello.feed(hello.subarray(0, 10))
  slowHello.wheel.advance(63_000)
  assert.deepEqual(slowHello.dropped, [])
  slowHello.wheel.advance(65_000)
  assert.deepEqual(slowHello.dropped, ['no ClientHello in time'])
  assert.equal(slowHello.connection.destroyed, true)
})

test('PROXY, ClientHello and TLS one behind the other, over real sockets', async () => {
  const transport = new RawTransport()
  const wheel = new TimerWheel(0)
  const server = new Recorder()
  const listener = await transport.listen({
    address: '127.0.0.1',
    port: 0,
    reusePort: false,
    backlog: 10,
    onConnection: (connection) => {
      filterConnection(connection, {
        proxyProtocol: true,
        clientHello: true,
        wheel,
        trustsProxy: () => true,
        onReady: (filtered) => {
          const serverName = filtered.hello?.serverName ?? ''
          const options = serverOf(siteA, { serverName })
          server.connection = transport.startTls(
            filtered.connection,
            filtered.unread,
            options,
            server,
          )
        },
      })
    },
  })
  // A load balancer in front: it adds the header and passes everything on.
  const balancer = await transport.listen({
    address: '127.0.0.1',
    port: 0,
    reusePort: false,
    backlog: 10,
    onConnection: (near) => {
      const far = new Recorder()
      far.react = (event) => {
        if (event !== 'connected') return
        const upstream = far.connection as Connection
        upstream.writeBytes('', proxyLine, 0, proxyLine.length)
        pass(near, upstream)
        pass(upstream, near)
      }
      transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, far)
    },
  })
  const client = new Recorder()
  transport.connect({ address: '127.0.0.1', port: balancer.port, tls: clientOf() }, client)
  await client.until((end) => end.connected)
  await server.until((end) => end.connected)
  assert.equal(server.connection?.peer.address, '192.0.2.1')
  assert.equal(server.connection.peer.port, 56324)
  assert.equal(server.connection.peer.socketAddress, '127.0.0.1')
  assert.equal(server.connection.peer.tls?.serverName, 'a.test')
  client.connection?.writeText('through all')
  server.connection.resume()
  await server.until((end) => end.text === 'through all')
  await finish(client, server)
  listener.destroy()
  balancer.destroy()
})

function pass(from: Connection, to: Connection): void {
  from.handler = {
    onData: (buffer, start, end) => to.writeBytes('', buffer, start, end),
    onEnd: () => {
      to.end()
    },
    onDrain: () => undefined,
    onClose: () => undefined,
  }
  from.resume()
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { logFormat, logVariables } from '#src/policies/log-variables.ts'
import { TestPlane } from '#test/support/plane.ts'
import { StillTransport } from '#test/support/still-transport.ts'
import type { StillConnection } from '#test/support/still-transport.ts'

/** What two lines about the same thing have in common, and then what they need not. */
const apart = new Set(['msec', 'request_time', 'upstream_header_time', 'upstream_response_time'])
const times = ['$time_iso8601', '$time_local', '$request_id', '$request_time']
const variables = [
  ...logVariables.filter((name) => !apart.has(name) && !name.startsWith('time_')),
  'remote_addr',
  'host',
  'http_host',
  'http_a',
  'http_none',
  'cookie_c',
  'ssl_protocol',
  'remote_user',
  'content_type',
].map((name) => `${name}=$${name}`)

const head = (rest: string): string => `Host: a.example\r\n${rest}\r\n`
const requests = [
  `GET /x?q=1 HTTP/1.1\r\n${head('A: one\r\nCookie: c=d\r\n')}`,
  `GET /y?q=2 HTTP/1.1\r\n${head('A: two\r\nAuthorization: Basic dTpw\r\n')}`,
  `POST /x HTTP/1.1\r\n${head('Content-Type: text/a\r\nContent-Length: 3\r\n')}abc`,
]

const exchanges = fc.array(
  fc.record({
    request: fc.nat(requests.length - 1),
    status: fc.constantFrom(200, 404, 500),
    bytes: fc.nat(3),
    times: fc.integer({ min: 1, max: 4 }),
    others: fc.integer({ min: 1, max: 2 }),
  }),
  { maxLength: 8 },
)

test('a line that is put together of what was kept tells the same as one that is not', async (t) => {
  const transport = new StillTransport()
  const plane = await TestPlane.start({
    upstreams: [8080, 8081],
    transport,
    hosts: ['a.example'],
    settings: { accessLog: true },
    options: {
      logFormat: logFormat.parse([...variables, ...times].join('|')) ?? [],
      skipAccessLogUrls: [],
    },
  })
  t.after(() => plane.stop())

  /** Sends a request and answers it; gives its line, without the upstream, which it must name. */
  const ask = async (client: StillConnection, text: string, answer: string): Promise<string[]> => {
    const before = new Map(transport.upstreams.map((one) => [one, one.writes]))
    const bytes = Buffer.from(text)
    client.handler.onData(bytes, 0, bytes.length)
    const findAsked = (): StillConnection | undefined =>
      transport.upstreams.find((one) => one.writes > (before.get(one) ?? 0))
    // The first connections are being opened.
    if (findAsked() === undefined) await new Promise((resolve) => setImmediate(resolve))
    const asked = findAsked()
    const answered = Buffer.from(answer)
    asked?.handler.onData(answered, 0, answered.length)
    const [line = '', ...more] = plane.lines.splice(0)
    assert.deepEqual(more, [])
    const parts = line.split('|')
    const [upstream = ''] = parts.splice(variables.indexOf('upstream_addr=$upstream_addr'), 1)
    assert.match(upstream, new RegExp(`^upstream_addr=.*:${asked?.upstreamPort}$`))
    return parts
  }
  await fc.assert(
    fc.asyncProperty(exchanges, async (list) => {
      const kept = transport.open()
      for (const { request, status, bytes, times: count, others } of list) {
        const text = requests[request] as string
        const answer = `HTTP/1.1 ${status} X\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`
        for (let i = 0; i < count; i++) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const line = await ask(kept, text, answer)
          // oxlint-disable-next-line no-await-in-loop
          let alone = await ask(transport.open(), text, answer)
          // So that this connection does not get to one upstream each time.
          // oxlint-disable-next-line no-await-in-loop
          if (others > 1) alone = await ask(transport.open(), text, answer)
          const [iso = '', local = '', id = '', took = ''] = line.splice(-times.length)
          assert.deepEqual(line, alone.slice(0, -times.length))
          assert.match(iso, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/)
          assert.match(local, /^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000$/)
          assert.match(id, /^[0-9a-f]{32}$/)
          assert.match(took, /^\d+\.\d{3}$/)
        }
      }
    }),
    { numRuns: 60 },
  )
})

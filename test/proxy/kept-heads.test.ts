import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TableDelta } from '#src/table/table.ts'
import { TestPlane } from '#test/support/plane.ts'
import { StillTransport } from '#test/support/still-transport.ts'

const request = Buffer.from('GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n')
const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')

test('a route that a head had is looked for anew after each update, one of the same version as well', async (t) => {
  const transport = new StillTransport()
  const plane = await TestPlane.start({
    upstreams: [8080],
    transport,
    hosts: ['a.example', 'b.example'],
  })
  t.after(() => plane.stop())
  const client = transport.open()
  const statusOf = async (): Promise<string> => {
    const written = client.writes
    client.handler.onData(request, 0, request.length)
    await new Promise((resolve) => setImmediate(resolve))
    if (client.writes === written) transport.upstreams[0]?.handler.onData(answer, 0, answer.length)
    return client.written.latin1Slice(9, 12)
  }
  for (let times = 0; times < 4; times++) assert.equal(await statusOf(), '200')
  const nothing = new Map<string, never>()
  const delta: TableDelta = {
    version: 1,
    full: false,
    listeners: nothing,
    hosts: new Map([['host a.example', undefined]]),
    backends: nothing,
    certificates: nothing,
    authorities: nothing,
    options: undefined,
  }
  await plane.plane.apply({ delta, endpointSlots: new Map(), ruleSlots: new Map() })
  assert.equal(await statusOf(), '404')
})

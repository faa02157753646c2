import { flag, preface } from '#src/http2/protocol.ts'
import { data, frame, headers, literals, settings, settingsAck } from './frames.ts'
import type { FieldPair } from './frames.ts'
import type { RecordedResponse } from './linked.ts'
import { pick, randomFrame, seededDraw } from './random-frames.ts'
import type { Draw } from './random-frames.ts'
import { RawClient } from './raw-client.ts'
import { RawServer } from './raw-server.ts'
import type { RecordedRequest } from './recorder.ts'

/** One random run. Throws when something that must hold does not. */
export type FuzzCase = (draw: Draw) => void

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

type ProxyAction = (draw: Draw, request: RecordedRequest, client: RawClient) => void

/** What the proxy may do with a request at any time. */
const proxyActions: readonly ProxyAction[] = [
  (_draw, { stream }) => stream.pauseBody(),
  (_draw, { stream }) => stream.resumeBody(),
  (_draw, { stream }) => stream.reset('cancel'),
  (_draw, { stream }) => void stream.sendText('y'),
  (_draw, { stream }) => stream.sendEnd(undefined),
  (draw, request) => request.respond(200, 'x'.repeat(draw(100_000))),
  (draw, _request, client) => void client.pass(draw(5000)),
  (draw, _request, client) => {
    if (draw(50) === 0) client.session.drain()
  },
  () => undefined,
  () => undefined,
]

/** Random frames at a server session, in random pieces, with a proxy that does random things. */
function serverFrames(draw: Draw): void {
  const client = new RawClient({
    answer: draw(2) === 0 ? 'ok' : 'hold',
    pieceBytes: draw(3) === 0 ? 1 + draw(30) : Infinity,
  })
  if (draw(4) === 0) client.serverEnd.capacity = draw(100_000)
  for (let i = 0; i < 300 && !client.ended; i++) {
    client.send(randomFrame(draw, 300))
    const request = client.recorder.requests[draw(client.recorder.requests.length + 1)]
    if (request === undefined) continue
    pick(draw, proxyActions)(draw, request, client)
    must(client.session.streamCount <= 128, 'too many streams')
  }
  client.pass(400_000)
  must(client.session.streamCount === 0, 'streams left over')
  must(
    client.recorder.requests.every(({ target }) => target === '/'),
    'an unknown target got through',
  )
}

/** Random frames at a client session. */
function clientFrames(draw: Draw): void {
  const server = new RawServer()
  const responses = Array.from({ length: 6 }, (_, i) =>
    server.request({ open: i % 2 === 0, ...(i === 5 ? { upgrade: 'websocket' } : {}) }),
  )
  for (let i = 0; i < 100 && !server.ended; i++) {
    server.send(draw(5) === 0 ? answer(draw) : randomFrame(draw, 8))
    clientAction(draw, responses[draw(responses.length)] as RecordedResponse)
  }
  server.end.destroy()
  for (const one of responses) one.stream.resumeBody()
  server.settle()
  for (const one of responses) must(one.ended || one.failure !== '', 'an exchange without an end')
  must(server.session.streamCount === 0, 'streams left over')
}

function clientAction(draw: Draw, response: RecordedResponse): void {
  const action = draw(8)
  if (action === 0) response.stream.pauseBody()
  else if (action === 1) response.stream.resumeBody()
  else if (action === 2) response.stream.sendText('x'.repeat(draw(50_000)))
}

function answer(draw: Draw): Buffer {
  const status: FieldPair = [':status', String([100, 103, 200, 204, 304, 500][draw(6)])]
  return headers(draw(8) * 2 + 1, [status], flag.endHeaders | draw(2))
}

/** A sensible session with some of its bytes changed, whole and byte by byte: both must agree. */
function changedBytes(draw: Draw): void {
  const bytes = Buffer.concat([
    preface,
    settings([4, 70_000]),
    settingsAck,
    frame(1, 4, 1, Buffer.from('8387844188 2f91d35d055c87a7'.replaceAll(' ', ''), 'hex')),
    data(1, 'hello', 0),
    data(1, ''),
    headers(3, [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/x?y'],
      [':authority', 'a.test'],
      ['x-a', 'b'],
    ]),
    frame(1, 5, 5, literals([['x', 'y']])),
  ])
  for (let i = draw(4); i >= 0; i--) bytes[24 + draw(bytes.length - 24)] = draw(256)
  const [whole, pieces] = [Infinity, 1].map((pieceBytes) => {
    const client = new RawClient({ greet: false, pieceBytes })
    client.send(bytes)
    const { requests, rejected } = client.recorder
    return JSON.stringify([
      requests.map((one) => [
        one.method,
        one.target,
        one.fields,
        one.body,
        one.ended,
        one.resetReason,
      ]),
      rejected,
      client.log.codes(0),
    ])
  })
  must(whole === pieces, `cut differently, read differently: ${whole} ${pieces}`)
}

export const fuzzCases: readonly FuzzCase[] = [serverFrames, clientFrames, changedBytes]

/** The case that belongs to a seed. */
export function runSeed(seed: number): void {
  const run = fuzzCases[seed % fuzzCases.length] as FuzzCase
  run(seededDraw(seed + 1))
}

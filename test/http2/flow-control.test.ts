import assert from 'node:assert/strict'
import test from 'node:test'
import { flag, frameType } from '#src/http2/protocol.ts'
import { data, get, headers, post, settings, windowUpdate } from './support/frames.ts'
import { responseHead } from './support/heads.ts'
import { Linked } from './support/linked.ts'
import { RawClient } from './support/raw-client.ts'

const wide = [windowUpdate(0, 1 << 24), settings([4, 1 << 24])]

test('bodies are sent within both windows', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 100]), headers(1, get), headers(3, get))
  for (const request of client.recorder.requests) request.respond(200, 'x'.repeat(150))
  client.settle()
  assert.deepEqual([client.log.body(1).length, client.log.body(3).length], [100, 100])
  client.send(windowUpdate(3, 50))
  assert.equal(client.log.ended(3), true)
  assert.equal(client.log.ended(1), false)
  client.send(windowUpdate(1, 1000))
  assert.equal(client.log.ended(1), true)
  assert.equal(client.log.body(1).length, 150)
})

test('the window of the connection holds for all streams together', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 1 << 20]), headers(1, get), headers(3, get))
  for (const request of client.recorder.requests) request.respond(200, 'x'.repeat(60_000))
  client.settle()
  assert.equal(client.log.body(1).length + client.log.body(3).length, 65_535)
  client.send(windowUpdate(0, 100_000))
  assert.deepEqual([client.log.body(1).length, client.log.body(3).length], [60_000, 60_000])
})

test('a smaller initial window may make a window negative; nothing goes until it is positive', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 100]), headers(1, get))
  client.recorder.request.respond(200, 'x'.repeat(150))
  client.settle()
  client.send(settings([4, 10]), windowUpdate(1, 90))
  assert.equal(client.log.body(1).length, 100)
  client.send(windowUpdate(1, 20))
  assert.equal(client.log.body(1).length, 120)
})

test('large bodies take turns, and a small one does not wait for them', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(...wide, ...[1, 3, 5].map((id) => headers(id, get)))
  const [first, second, third] = client.recorder.requests
  client.serverEnd.capacity = 70_000
  client.end.pause()
  first?.respond(200, 'a'.repeat(300_000))
  second?.respond(200, 'b'.repeat(300_000))
  third?.respond(200, 'c'.repeat(100))
  client.environment.turns.run()
  assert.equal(first?.stream.backedUp, true)
  client.end.resume()
  client.settle()
  const order = client.log
    .of(frameType.data)
    .filter((one) => one.payload.length > 0)
    .map((one) => one.streamId)
  const small = order.indexOf(5)
  assert.ok(small >= 0 && small <= 12, `the small body came as frame ${small}`)
  const tail = order.slice(small + 1, small + 21)
  assert.ok(tail.filter((id) => id === 1).length >= 8 && tail.filter((id) => id === 3).length >= 8)
  assert.deepEqual([client.log.body(1).length, client.log.body(3).length], [300_000, 300_000])
})

test('a full connection pauses the writer and tells it when there is room again', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(...wide, headers(1, get))
  client.serverEnd.capacity = 1000
  client.end.pause()
  const { request } = client.recorder
  const { stream } = request
  stream.sendHead(responseHead(200), false)
  const chunk = Buffer.alloc(300_000, 0x61)
  assert.equal(stream.sendData(chunk, 0, chunk.length), false)
  assert.equal(stream.backedUp, true)
  client.settle()
  assert.equal(request.writable, 0)
  client.end.resume()
  client.settle()
  assert.equal(request.writable, 1)
  assert.equal(stream.backedUp, false)
  stream.sendEnd(undefined)
  stream.flush()
  client.settle()
  assert.equal(client.log.body(1).length, 300_000)
  assert.ok(client.log.ended(1))
})

test('a paused body is held, its window stays shut, and it comes whole when resumed', () => {
  const client = new RawClient({ answer: 'hold', limits: { streamWindowBytes: 1000 } })
  client.send(headers(1, post, flag.endHeaders))
  const { request } = client.recorder
  request.stream.pauseBody()
  client.send(data(1, 'x'.repeat(1000), 0))
  assert.equal(request.body, '')
  assert.equal(client.log.of(frameType.windowUpdate, 1).length, 0)
  request.stream.resumeBody()
  client.settle()
  assert.equal(request.body.length, 1000)
  assert.ok(client.log.of(frameType.windowUpdate, 1).length > 0)
  request.stream.pauseBody()
  client.send(data(1, 'y'))
  assert.equal(request.ended, false)
  request.stream.resumeBody()
  client.settle()
  assert.equal(request.ended, true)
  assert.equal(request.body.length, 1001)
})

test('a window that is never read from is given back while the stream is discarded', () => {
  const client = new RawClient({ limits: { connectionWindowBytes: 65_535 } })
  for (let i = 0; i < 20; i++) {
    client.recorder.answer = 'hold'
    client.send(headers(i * 2 + 1, post, flag.endHeaders))
    client.recorder.requests.at(-1)?.respond(413, 'no')
    client.settle()
    client.send(data(i * 2 + 1, 'x'.repeat(10_000), 0))
  }
  assert.equal(client.ended, false)
})

test('a client that keeps sending to paused streams cannot fill our memory', () => {
  const limits = { heldBytes: 100_000, connectionWindowBytes: 200_000, streamWindowBytes: 64_000 }
  const client = new RawClient({ answer: 'hold', limits })
  let sent = 0
  let code = 0
  for (let i = 0; i < 100 && code === 0; i++) {
    client.send(headers(i * 2 + 1, post, flag.endHeaders))
    client.recorder.requests.at(-1)?.stream.pauseBody()
    for (let piece = 0; piece < 4; piece++) client.send(data(i * 2 + 1, Buffer.alloc(16_000), 0))
    sent += 64_000
    code = client.log.codes(0)[0] ?? 0
  }
  assert.equal(code, 3)
  assert.ok(sent <= 100_000 + 200_000 + 2 * 64_000, `${sent} bytes`)
})

test('a paused stream does not hold up another', () => {
  const linked = new Linked({ answer: 'hold' })
  const stuck = linked.request({ method: 'POST', open: true })
  const moving = linked.request({ method: 'POST', open: true })
  linked.settle()
  linked.recorder.requests[0]?.stream.pauseBody()
  for (let i = 0; i < 40; i++) {
    if (!stuck.stream.backedUp) stuck.stream.sendText('s'.repeat(30_000))
    moving.stream.sendText('m'.repeat(50_000))
    moving.stream.flush()
    linked.settle()
  }
  assert.equal(linked.recorder.requests[1]?.body.length, 2_000_000)
  assert.equal(linked.recorder.requests[0]?.body, '')
  assert.equal(stuck.stream.backedUp, true)
})

test('the window of a stream grows while its reader keeps up', () => {
  const linked = new Linked({ answer: 'hold' })
  const upload = linked.request({ method: 'POST', open: true })
  let most = 0
  for (let i = 0; i < 200; i++) {
    upload.stream.sendText('x'.repeat(50_000))
    upload.stream.flush()
    linked.settle()
    most = Math.max(most, upload.stream.sendWindow)
  }
  assert.ok(most > 512 * 1024)
  assert.equal(linked.recorder.request.body.length, 10_000_000)
})

test('a download of 5 MB through small windows arrives whole', () => {
  const linked = new Linked({
    answer: 'hold',
    client: { streamWindowBytes: 1000, streamWindowBytesMax: 1000, connectionWindowBytes: 65_535 },
  })
  const response = linked.request()
  linked.settle()
  const { stream } = linked.recorder.request
  linked.recorder.request.respond(200, 'x'.repeat(5_000_000))
  stream.flush()
  linked.settle()
  assert.equal(response.body.length, 5_000_000)
  assert.equal(response.ended, true)
})

import { memoryPair } from '#test/support/memory-pair.ts'
import { Http2ServerSession } from '#src/http2/server-session.ts'
import { serverLimits } from '#src/http2/limits.ts'
import { TestEnvironment } from './support/environment.ts'
import { Recorder } from './support/recorder.ts'
import { costOf } from './support/measure.ts'
import { settings, settingsAck, headers, get } from './support/frames.ts'
import { preface } from '#src/http2/protocol.ts'
const n = 5000
const keep: unknown[] = []
const ends = Array.from({ length: n }, () => memoryPair())
const env = new TestEnvironment()
const rec = new Recorder()
const used = process.argv[2] === 'used'
const all = Buffer.concat([
  preface,
  settings(),
  settingsAck,
  ...(used ? Array.from({ length: 3 }, (_, i) => headers(i * 2 + 1, get)) : []),
])
console.log(
  costOf(() => {
    for (const [c, s] of ends) {
      keep.push(new Http2ServerSession(s, rec, serverLimits, env))
      s.handler.onData(all, 0, all.length)
    }
    env.turns.run()
    rec.requests.length = 0
    for (const [c] of ends) {
      c.resume()
      c.deliver(Infinity)
    }
  }).retained / n,
)

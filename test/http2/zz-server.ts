import { createServer } from 'node:net'
import { SocketConnection } from '#test/http2/support/socket-connection.ts'
import { realEnvironment } from '#test/http2/support/environment.ts'
import { Http2ServerSession } from '#src/http2/server-session.ts'
import { serverLimits } from '#src/http2/limits.ts'
import { takeResponseHead, releaseResponseHead, releaseRequestHead } from '#src/exchange/heads.ts'
const { environment } = realEnvironment()
const acceptor = {
  onRequest(stream: any, head: any, ended: boolean) {
    let done = false
    const answer = () => {
      if (done) return
      done = true
      const h = takeResponseHead()
      h.status = 200
      h.contentLength = 5
      h.fields.append('Content-Type', 'text/plain')
      stream.sendHead(h, head.method === 'HEAD')
      releaseResponseHead(h)
      if (head.method !== 'HEAD') {
        stream.sendText('hello')
        stream.sendEnd(undefined)
      }
      stream.flush()
      releaseRequestHead(head)
    }
    if (ended) answer()
    return {
      onRequestBody() {},
      onRequestEnd() {
        answer()
      },
      onRequestReset() {
        done = true
      },
      onRequestFlush() {},
      onClientWritable() {},
    }
  },
  onRejected(_p: any, s: number, c: string) {
    return `${s} ${c}\n`
  },
}
const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const c = new SocketConnection(socket)
  new Http2ServerSession(c, acceptor as any, serverLimits, environment)
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () =>
  console.log((server.address() as any).port),
)

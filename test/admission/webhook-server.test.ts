import assert from 'node:assert/strict'
import { request } from 'node:https'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connect } from 'node:tls'
import type { Review } from '#src/admission/review.ts'
import type { Outcome } from '#src/admission/reviewer.ts'
import { WebhookServer } from '#src/admission/webhook-server.ts'
import { createLogger } from '#src/observe/log.ts'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'

const limits = { timeout: 30_000 }
const certificate = async (commonName: string) =>
  await createSelfSignedCertificate({
    commonName,
    names: ['localhost'],
    notBefore: new Date(Date.now() - 1000),
    notAfter: new Date(Date.now() + 3_600_000),
  })

async function start(t: TestContext, { lateMs = 0 } = {}) {
  const seen: Review[] = []
  const counted: string[] = []
  let clock = 0
  const server = new WebhookServer({
    reviewer: {
      answer(review) {
        seen.push(review)
        const outcome: Outcome = 'allowed'
        return { answer: { uid: review.uid, allowed: true }, outcome }
      },
    },
    log: createLogger({ format: 'text', level: 'error', now: () => 0, write: () => undefined }),
    now: () => (clock += lateMs),
    count: (outcome) => counted.push(outcome),
  })
  server.useCertificate(await certificate('first'))
  const port = await server.listen(0, '127.0.0.1')
  t.after(async () => {
    await server.close()
  })
  return { server, port, seen, counted }
}

interface Sent {
  readonly method?: string
  readonly type?: string
  readonly path?: string
  readonly body?: string | Buffer
  readonly length?: number
}

async function post(port: number, { method = 'POST', type, path = '/', body = '', length }: Sent) {
  return await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        rejectUnauthorized: false,
        headers: {
          'content-type': type ?? 'application/json',
          ...(length !== undefined && { 'content-length': length }),
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text })
        })
      },
    )
    asked.on('error', reject)
    if (length === undefined) asked.end(body)
    else asked.flushHeaders()
  })
}

const good = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u-1',
    kind: { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' },
    operation: 'CREATE',
    namespace: 'shop',
    name: 'web',
    object: { metadata: { name: 'web' } },
  },
}

test('a review is answered under its uid', limits, async (t) => {
  const { port, seen, counted } = await start(t)
  const { status, text } = await post(port, { body: JSON.stringify(good) })
  assert.equal(status, 200)
  assert.deepEqual(JSON.parse(text), {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'u-1', allowed: true },
  })
  assert.equal(seen[0]?.name, 'web')
  assert.deepEqual(counted, ['allowed'])
})

const malformed: readonly [what: string, sent: Sent, status: number, text: RegExp][] = [
  ['GET', { method: 'GET' }, 405, /only POST/],
  ['another type', { type: 'text/plain', body: '{}' }, 415, /application\/json/],
  ['no JSON', { body: '{"a":' }, 400, /not JSON/],
  ['a list', { body: '[]' }, 400, /AdmissionReview/],
  ['null', { body: 'null' }, 400, /AdmissionReview/],
  ['another kind', { body: '{"kind":"Pod"}' }, 400, /kind/],
  [
    'another version',
    { body: '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1"}' },
    400,
    /apiVersion must be admission\.k8s\.io\/v1/,
  ],
  ['no request', { body: JSON.stringify({ ...good, request: 7 }) }, 400, /request is missing/],
  ['no uid', { body: JSON.stringify({ ...good, request: {} }) }, 400, /uid/],
  ['a body that says it is too long', { length: 4 * 1024 * 1024 }, 413, /longer than/],
  ['a body that is too long', { body: Buffer.alloc(3 * 1024 * 1024 + 1, 32) }, 413, /longer than/],
]

for (const [what, sent, expected, text] of malformed) {
  test(`${what} is refused with ${expected}`, limits, async (t) => {
    const { port, seen, counted } = await start(t)
    const answer = await post(port, sent)
    assert.equal(answer.status, expected)
    assert.match(answer.text, text)
    assert.equal(seen.length, 0)
    assert.deepEqual(counted, ['malformed'])
    assert.equal((await post(port, { body: JSON.stringify(good) })).status, 200)
  })
}

test('what cannot be answered in time is allowed, unchecked', limits, async (t) => {
  const { port, seen, counted } = await start(t, { lateMs: 1000 })
  const late = await post(port, { path: '/?timeout=1s', body: JSON.stringify(good) })
  const { response } = JSON.parse(late.text) as { response: { warnings: string[] } }
  assert.deepEqual(response.warnings, ['not checked by headgate: it is busy'])
  assert.equal(seen.length, 0)
  await post(port, { path: '/?timeout=30s', body: JSON.stringify(good) })
  assert.equal(seen.length, 1)
  assert.deepEqual(counted, ['unchecked', 'allowed'])
})

test('a new certificate is shown to new connections', limits, async (t) => {
  const { server, port } = await start(t)
  const shown = async (): Promise<string> =>
    await new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.destroy()
      })
      socket.on('error', reject)
    })
  assert.equal(await shown(), 'first')
  server.useCertificate(await certificate('second'))
  assert.equal(await shown(), 'second')
})

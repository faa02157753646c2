import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { isLoopback, namesThisMachine } from '#src/observe/admin-access.ts'
import { AdminServer, json, plain } from '#src/observe/admin-server.ts'
import type { AdminRoute } from '#src/observe/admin-server.ts'
import { dashboardRoutes } from '#src/observe/dashboard.ts'
import { createLogger } from '#src/observe/log.ts'

const token = 'a token of the tests'

async function start(t: TestContext, routes: Record<string, AdminRoute>) {
  const logged: string[] = []
  const server = new AdminServer({
    routes: new Map(Object.entries(routes)),
    token,
    log: createLogger({
      format: 'json',
      level: 'info',
      now: Date.now,
      write: (l) => logged.push(l),
    }),
  })
  const port = await server.listen('127.0.0.1', 0)
  t.after(async () => {
    await server.close()
  })
  return { port, logged }
}

/** Sends one request as it stands and reads until the end. */
async function ask(port: number, head: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${head}\r\nConnection: close\r\n\r\n`)
    })
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (text += chunk))
    socket.on('end', () => {
      resolve(text)
    })
    socket.on('error', reject)
  })
}

const status = (answer: string): number => Number(answer.slice(9, 12))

test('who is on this machine', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    assert.ok(isLoopback(address), address)
  }
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '', '127.evil.example']) {
    assert.ok(!isLoopback(address), address)
  }
  for (const host of [
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1',
    '10.0.0.1:9180',
    '[::1]:80',
    '[::1]',
  ]) {
    assert.ok(namesThisMachine(host), host)
  }
  for (const host of [
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:80',
    '[x]',
  ]) {
    assert.ok(!namesThisMachine(host), host)
  }
})

test('private routes refuse foreign names, open ones do not', async (t) => {
  const { port } = await start(t, {
    '/open': { access: 'open', answer: () => plain(200, 'ok') },
    '/private': { access: 'private', answer: () => json({ secret: true }) },
  })
  const get = async (path: string, ...fields: string[]): Promise<string> =>
    await ask(port, [`GET ${path} HTTP/1.1`, ...fields].join('\r\n'))
  assert.equal(status(await get('/open', 'Host: evil.example')), 200)
  assert.equal(status(await get('/private', 'Host: localhost:1')), 200)
  const rebound = await get('/private', 'Host: evil.example')
  assert.equal(status(rebound), 421)
  assert.doesNotMatch(rebound, /secret/)
  const known = `X-Headgate-Token: ${token}`
  assert.equal(status(await get('/private', 'Host: evil.example', known)), 200)
  assert.equal(status(await get('/private', 'Host: evil.example', `${known}x`)), 421)
})

test('a server without a token takes none, not even an empty one', async (t) => {
  const server = new AdminServer({
    routes: new Map([['/', { access: 'private', answer: () => plain(200, 'ok') }]]),
    token: '',
    log: createLogger({ format: 'json', level: 'info', now: Date.now, write: () => undefined }),
  })
  const port = await server.listen('127.0.0.1', 0)
  t.after(async () => {
    await server.close()
  })
  assert.equal(
    status(await ask(port, 'GET / HTTP/1.1\r\nHost: evil.example\r\nX-Headgate-Token:')),
    421,
  )
})

test('unknown paths, other methods, HEAD', async (t) => {
  const { port } = await start(t, {
    '/a': { access: 'open', answer: (query) => plain(200, `q=${query.get('q')}`) },
  })
  const send = async (line: string): Promise<string> =>
    await ask(port, `${line} HTTP/1.1\r\nHost: localhost`)
  assert.match(await send('GET /a?q=x%20y'), /q=x y\n$/)
  assert.equal(status(await send('GET /b')), 404)
  assert.equal(status(await send('GET /a/')), 404)
  assert.equal(status(await send('GET http://[bad')), 400)
  const refused = await send('POST /a')
  assert.equal(status(refused), 405)
  assert.match(refused, /^allow: GET, HEAD$/im)
  const head = await send('HEAD /a?q=1')
  assert.equal(status(head), 200)
  assert.match(head, /\r\n\r\n$/)
})

test('a fault while answering is logged and told without detail', async (t) => {
  const { port, logged } = await start(t, {
    '/fault': {
      access: 'open',
      answer: () => {
        throw new Error('a detail')
      },
    },
  })
  const answer = await ask(port, 'GET /fault HTTP/1.1\r\nHost: localhost')
  assert.equal(status(answer), 500)
  assert.doesNotMatch(answer, /detail/)
  assert.match(logged.join(), /a detail/)
})

test('pieces are sent whole, and others get their turn between them', async (t) => {
  const piecesMax = 20_000
  const other = { answered: false }
  let sent = 0
  function* pieces(): Generator<string> {
    while (!other.answered && sent < piecesMax) {
      sent++
      yield `${'x'.repeat(999)}\n`
    }
  }
  const { port } = await start(t, {
    '/big': {
      access: 'open',
      answer: () => ({ status: 200, contentType: 'text/plain', body: pieces() }),
    },
    '/small': {
      access: 'open',
      answer: () => {
        other.answered = true
        return plain(200, 'ok')
      },
    },
  })
  const big = ask(port, 'GET /big HTTP/1.0\r\nHost: localhost')
  await ask(port, 'GET /small HTTP/1.1\r\nHost: localhost')
  const body = (await big).split('\r\n\r\n')[1] ?? ''
  assert.equal(body.length, sent * 1000)
  assert.ok(sent < piecesMax, 'the other request was answered meanwhile')
})

function* endless(): Generator<string> {
  for (;;) yield 'x'.repeat(100_000)
}

test('long answers are bounded, and short ones go on while readers stall', async (t) => {
  const { port } = await start(t, {
    '/endless': {
      access: 'open',
      answer: () => ({ status: 200, contentType: 'text/plain', body: endless() }),
    },
    '/short': { access: 'open', answer: () => plain(200, 'ok') },
  })
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = connect(port, '127.0.0.1')
      t.after(() => socket.destroy())
      socket.write('GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await once(socket, 'readable')
    }),
  )
  assert.equal(status(await ask(port, 'GET /endless HTTP/1.1\r\nHost: localhost')), 503)
  assert.equal(status(await ask(port, 'GET /short HTTP/1.1\r\nHost: localhost')), 200)
})

test('the dashboard is static, private, and cannot run foreign code', async (t) => {
  const { port } = await start(t, Object.fromEntries(dashboardRoutes()))
  for (const path of ['/', '/dashboard.js', '/dashboard.css']) {
    const answer = await ask(port, `GET ${path} HTTP/1.1\r\nHost: localhost`)
    assert.equal(status(answer), 200)
    assert.match(answer, /^content-security-policy: default-src 'none'; script-src 'self';/im)
    assert.match(answer, /^x-content-type-options: nosniff$/im)
    const refused = await ask(port, `GET ${path} HTTP/1.1\r\nHost: evil.example`)
    assert.equal(status(refused), 421)
  }
  const script = await ask(port, 'GET /dashboard.js HTTP/1.1\r\nHost: localhost')
  assert.doesNotMatch(script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/)
  const page = await ask(port, 'GET / HTTP/1.1\r\nHost: localhost')
  assert.doesNotMatch(page, /https?:\/\//)
})

import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask, createFolder, manifest, startServing, startUpstream, until } from './instance.ts'

/** One more endpoint of the Service in `manifest`. */
function slice(port: number): string {
  return `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-2, namespace: test, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ name: http, port: ${port} }]
endpoints: [{ addresses: [127.0.0.1], conditions: { ready: true } }]
`
}

for (const [mode, least, most] of [
  ['balanced', 5, 35],
  ['persistent', 0, 0],
] as const) {
  test(`affinity-mode ${mode}: an endpoint is added`, { timeout: 60_000 }, async (t) => {
    const [one, two] = await Promise.all(
      ['one', 'two'].map((name) => startUpstream(t, (_, response) => response.end(name))),
    )
    const annotations = `nginx.ingress.kubernetes.io/affinity: cookie, nginx.ingress.kubernetes.io/affinity-mode: ${mode}`
    const before = manifest('a.example', one as number, annotations)
    const folder = createFolder(t, { 'all.yaml': before })
    const { ports } = await startServing(t, folder)
    const visit = async (cookie = ''): Promise<{ by: string; cookie: string }> => {
      const { headers, body } = await ask(ports.http, '/', {
        headers: { host: 'a.example', ...(cookie !== '' && { cookie }) },
      })
      return { by: body, cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '' }
    }
    const clients = await Promise.all(Array.from({ length: 40 }, () => visit()))
    for (const { by, cookie } of clients) {
      assert.match(cookie, /^INGRESSCOOKIE=[\w-]+\.[\w-]+$/)
      assert.equal(by, 'one')
      assert.deepEqual(await visit(cookie), { by: 'one', cookie: '' })
    }
    writeFileSync(join(folder, 'next'), before + slice(two as number))
    renameSync(join(folder, 'next'), join(folder, 'all.yaml'))
    await until(async () => {
      const fresh = await Promise.all(Array.from({ length: 20 }, () => visit()))
      return fresh.some(({ by }) => by === 'two')
    })
    let moved = 0
    for (const { cookie } of clients) {
      const { by, cookie: set } = await visit(cookie)
      assert.equal(set, '', 'the session goes on')
      assert.equal((await visit(cookie)).by, by)
      if (by === 'two') moved++
    }
    assert.ok(moved >= least && moved <= most, `${moved} of 40 moved`)
  })
}

for (const mode of ['balanced', 'persistent']) {
  for (const change of [false, true]) {
    const what = `affinity-mode ${mode}, change-on-failure ${change}: the endpoint of a session fails`
    test(what, { timeout: 60_000 }, async (t) => {
      let failing = false
      const one = await startUpstream(t, (_, response) => response.end('one'))
      const two = await startUpstream(t, (_, response) => {
        if (failing) response.destroy()
        else response.end('two')
      })
      const annotations = ['affinity: cookie', `affinity-mode: ${mode}`]
      if (change) annotations.push('session-cookie-change-on-failure: "true"')
      const keys = annotations.map((text) => `nginx.ingress.kubernetes.io/${text}`).join(', ')
      const folder = createFolder(t, { 'all.yaml': manifest('a.example', one, keys) + slice(two) })
      const { ports } = await startServing(t, folder)
      const visit = async (cookie = ''): Promise<{ by: string; cookie: string }> => {
        const { headers, body } = await ask(ports.http, '/', {
          headers: { host: 'a.example', ...(cookie !== '' && { cookie }) },
        })
        return { by: body, cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '' }
      }
      let session = await visit()
      await until(async () => {
        if (session.by !== 'two') session = await visit()
        return session.by === 'two'
      })
      failing = true
      const moved = await visit(session.cookie)
      assert.equal(moved.by, 'one')
      assert.equal(moved.cookie !== '', change)
      failing = false
      if (change) assert.deepEqual(await visit(moved.cookie), { by: 'one', cookie: '' })
      else assert.deepEqual(await visit(session.cookie), { by: 'two', cookie: '' })
    })
  }
}

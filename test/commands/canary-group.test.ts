import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask, createFolder, manifest, startServing, startUpstream, until } from './instance.ts'

const limits = { timeout: 60_000 }
const names = ['main', 'one', 'two'] as const

/** Three Ingresses for one route; the last two are canaries of one group. */
function manifests(ports: readonly number[], weights: readonly number[]): string {
  return names
    .map((name, i) => {
      const weight = weights[i] ?? 0
      const canary = `nginx.ingress.kubernetes.io/canary: "true", nginx.ingress.kubernetes.io/canary-weight: "${weight}", headgate.dev/canary-group: g`
      return manifest('a.example', ports[i] ?? 0, i === 0 ? '' : canary).replaceAll('web', name)
    })
    .join('---\n')
}

test('a group of canaries: clients keep their side while weights change', limits, async (t) => {
  const upstreams = await Promise.all(
    names.map((name) =>
      startUpstream(t, (_, response) => {
        response.end(name)
      }),
    ),
  )
  const folder = createFolder(t, { 'all.yaml': manifests(upstreams, [0, 20, 20]) })
  const { ports } = await startServing(t, folder)
  const visit = async (cookie = ''): Promise<{ side: string; cookie: string }> => {
    const { status, headers, body } = await ask(ports.http, '/', {
      headers: { host: 'a.example', ...(cookie !== '' && { cookie }) },
    })
    assert.equal(status, 200)
    return { side: body, cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '' }
  }
  const clients = await Promise.all(Array.from({ length: 60 }, () => visit()))
  assert.deepEqual([...new Set(clients.map(({ side }) => side))].toSorted(), [...names])
  for (const { side, cookie } of clients) {
    assert.match(cookie, /^headgate-canary-g=[0-9a-f]{8}$/)
    assert.deepEqual(await visit(cookie), { side, cookie: '' })
  }
  writeFileSync(join(folder, 'next'), manifests(upstreams, [0, 50, 20]))
  renameSync(join(folder, 'next'), join(folder, 'all.yaml'))
  // Half of all numbers are the first canary's now: this one is when the change is in force everywhere.
  const late = 'headgate-canary-g=7f000000'
  await until(async () => {
    const sides = await Promise.all(Array.from({ length: 20 }, () => visit(late)))
    return sides.every(({ side }) => side === 'one')
  })
  for (const { side, cookie } of clients) {
    const { side: now } = await visit(cookie)
    assert.ok(now === side || (side === 'main' && now === 'one'), `${side} to ${now}`)
  }
})

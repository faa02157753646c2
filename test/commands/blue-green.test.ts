import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask, createFolder, manifest, startServing, startUpstream, until } from './instance.ts'

const limits = { timeout: 60_000 }

/** The Ingress goes to the Service web; its other side is the Service green. */
function manifests(blue: number, green: number, active: string): string {
  const own = manifest('a.example', blue)
  const other = manifest('b.example', green).replaceAll('web', 'green')
  const annotated = own.replace(
    'kind: Service\nmetadata: { name: web, namespace: test }',
    `kind: Service\nmetadata: { name: web, namespace: test, annotations: { headgate.dev/active-service: ${active} } }`,
  )
  assert.notEqual(annotated, own)
  return `${annotated}---${other}`
}

test('blue/green: a switch and the way back under load lose no request', limits, async (t) => {
  // Slow enough that every switch meets requests that are under way.
  const side = async (name: string): Promise<number> =>
    await startUpstream(t, (_, response) => {
      setTimeout(() => response.end(name), 10)
    })
  const [blue, green] = await Promise.all([side('blue'), side('green')])
  const folder = createFolder(t, { 'all.yaml': manifests(blue, green, 'web') })
  const { ports } = await startServing(t, folder)
  const get = async (): Promise<string> => {
    const { status, body } = await ask(ports.http, '/', { headers: { host: 'a.example' } })
    return `${status} ${body}`
  }
  const answers = new Map<string, number>()
  const load = { running: true }
  const loops = Array.from({ length: 8 }, async () => {
    while (load.running) {
      const answer = await get()
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
    }
  })
  for (const [active, expected] of [
    ['green', 'green'],
    ['web', 'blue'],
    ['green', 'green'],
    ['web', 'blue'],
  ] as const) {
    writeFileSync(join(folder, 'next'), manifests(blue, green, active))
    renameSync(join(folder, 'next'), join(folder, 'all.yaml'))
    await until(async () => (await get()) === `200 ${expected}`)
    // One step for all workers that have it; then nothing goes to the other side any more.
    await until(async () => {
      const twenty = await Promise.all(Array.from({ length: 20 }, get))
      return twenty.every((answer) => answer === `200 ${expected}`)
    })
  }
  load.running = false
  await Promise.all(loops)
  assert.deepEqual([...answers.keys()].toSorted(), ['200 blue', '200 green'])
})

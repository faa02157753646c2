import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, createFolder, manifest, startServing, startUpstream, until } from './instance.ts'

const options = `
apiVersion: v1
kind: ConfigMap
metadata: { name: headgate, namespace: test }
data: { log-format-upstream: 'port $server_addr:$server_port $request_uri' }
`

/** The kernel tells no port of a connection that is closed, as it is before its line is written. */
test('lines tell address and port that the client connected to, also when it has gone', async (t) => {
  const port = await startUpstream(t, (_request, response) => response.end('hello'))
  const folder = createFolder(t, { 'all.yaml': `${options}---${manifest('a.example', port)}` })
  const { ports, program } = await startServing(t, folder, ['--configmap=test/headgate'])
  for (let i = 0; i < 10; i++) {
    // oxlint-disable-next-line no-await-in-loop -- connections one behind the other
    await ask(ports.http, `/${i}`, { headers: { host: 'a.example' } })
  }
  const lines = (): string[] => program.stdout.split('\n').filter((line) => line.startsWith('port'))
  await until(() => lines().length === 10)
  assert.deepEqual(
    lines().toSorted(),
    Array.from({ length: 10 }, (_, i) => `port 127.0.0.1:${ports.http} /${i}`),
  )
})

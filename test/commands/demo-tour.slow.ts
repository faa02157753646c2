import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

const root = join(import.meta.dirname, '../..')

/** Command of the tour, by a part of it, and what it must print. In the order of the tour. */
const expected: readonly [string, RegExp][] = [
  ['shop.localhost:PORT/', /^web-\d answers GET \/ /],
  ['/catalogue', /^catalogue-\d answers GET \/catalogue /],
  ['/advice', /^advice-\d answers GET \/advice /],
  ['/search?words=tea', /^search-\d answers GET \/search\?words=tea /],
  ['/cart', /^cart-\d answers GET \/cart /],
  ['--data-binary', /413/],
  ['http://account.localhost', /^HTTP\/1\.1 308 .*^location: https:\/\/account\.localhost/ims],
  ['-k https://account.localhost', /^account-1 answers GET \/ .*x-forwarded-proto: https/],
  ['Upgrade: websocket', /^HTTP\/1\.1 101 .*hello from chat-1/ms],
  ['nobody.localhost', /^HTTP\/1\.1 404 /],
  ['/api/status', /"ready": ?true/],
  ['/metrics', /^headgate_build_info\{/m],
  ['/api/explain', /search/],
]

/** As a newcomer: npm start, every command that it prints, Ctrl-C. Needs bash and curl. */
test('every command that npm start prints does what it says', { timeout: 120_000 }, async () => {
  // A group of its own, so that Ctrl-C can be sent to all of it as a terminal does.
  const npm = spawn('npm', ['start'], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(npm, 'exit')
  let output = ''
  npm.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  try {
    await new Promise<void>((resolve, reject) => {
      npm.once('exit', () => {
        reject(new Error(`npm start ended: ${output}`))
      })
      npm.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes('Ctrl-C stops everything')) resolve()
      })
    })
    const commands = output.match(/^ {2}(?:head .*)?curl .*$/gm) ?? []
    assert.equal(commands.length, expected.length)
    for (const [i, [part, pattern]] of expected.entries()) {
      const command = (commands[i] as string).trim()
      assert.ok(command.replace(/:\d+/, ':PORT').includes(part), `${command} lacks ${part}`)
      assert.match(await shell(`${command} -s`), pattern, command)
    }
  } finally {
    if (npm.exitCode === null) process.kill(-(npm.pid as number), 'SIGINT')
    await ended
  }
  await groupEnded(npm.pid as number)
})

/** npm does not wait for what it started; nothing of the group may be left after 10 s. */
async function groupEnded(group: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      process.kill(-group, 0)
    } catch {
      return
    }
    await delay(100)
  }
  process.kill(-group, 'SIGKILL')
  assert.fail('the demo did not end within 10 s of Ctrl-C')
}

/** Output of a command, which may end by a time limit of its own. */
async function shell(command: string): Promise<string> {
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')))
  await once(child, 'close')
  return output
}

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Starts the program with every thread, once with a folder and once with a cluster, so that NODE_COMPILE_CACHE
// has whatever either of them loads; it is also the proof that the image starts. Ends with 0 when the program
// was ready, tried the cluster, and was stopped each time by itself.

const timeoutMs = 60_000
const program = join(import.meta.dirname, 'src/main.js')
const manifests = join(import.meta.dirname, 'deploy/examples/demo')
const ports = ['--http-port=8080', '--https-port=8443', '--admin-port=9180']
const common = ['--workers=1', '--bind-address=127.0.0.1', ...ports]
const folder = mkdtempSync(join(tmpdir(), 'headgate-warm-'))

/** A cluster that nobody answers for. */
function writeKubeconfig(): string {
  const file = join(folder, 'kubeconfig')
  const config = {
    clusters: [{ name: 'none', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'none', user: { token: 'none' } }],
    contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
    'current-context': 'none',
  }
  writeFileSync(file, JSON.stringify(config))
  return file
}

/** Serves until the log has this message, then stops. False when it comes to anything else. */
async function serveUntil(message: string, flags: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [program, 'serve', ...common, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  const state = { seen: false }
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
    if (state.seen || !log.includes(`"message":"${message}"`)) return
    state.seen = true
    child.kill('SIGTERM')
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const code = await new Promise((resolve) => child.on('close', resolve))
  clearTimeout(timer)
  const good = state.seen && code === 0
  if (!good) process.stderr.write(log)
  return good
}

const webhook = ['--webhook-port=9443', '--webhook-configuration=none']
const cluster = [`--kubeconfig=${writeKubeconfig()}`, `--state-dir=${folder}`, ...webhook]
const good =
  (await serveUntil('ready', [`--files=${manifests}`])) &&
  (await serveUntil('leader election fails', cluster))
rmSync(folder, { recursive: true, force: true })
process.exitCode = good ? 0 : 1

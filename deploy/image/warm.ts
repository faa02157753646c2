import { spawn } from 'node:child_process'
import { join } from 'node:path'

// Starts the program once, with every thread, so that NODE_COMPILE_CACHE is filled; it is also the proof
// that the image starts. Ends with 0 when the program was ready and stopped by itself.

const readyTimeoutMs = 60_000
const program = join(import.meta.dirname, 'src/main.js')
const manifests = join(import.meta.dirname, 'deploy/examples/demo')
const ports = ['--http-port=8080', '--https-port=8443', '--admin-port=9180']

const child = spawn(
  process.execPath,
  [program, 'serve', `--files=${manifests}`, '--workers=1', '--bind-address=127.0.0.1', ...ports],
  { stdio: ['ignore', 'ignore', 'pipe'] },
)
let log = ''
let ready = false
child.stderr.setEncoding('utf8').on('data', (text: string) => {
  log += text
  if (ready || !log.includes('"message":"ready"')) return
  ready = true
  child.kill('SIGTERM')
})
const timer = setTimeout(() => child.kill('SIGKILL'), readyTimeoutMs)
child.on('close', (code) => {
  clearTimeout(timer)
  if (!ready || code !== 0) process.stderr.write(log)
  process.exitCode = ready && code === 0 ? 0 : 1
})

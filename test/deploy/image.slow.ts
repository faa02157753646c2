import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

// There is no container runtime here: the steps of the Dockerfile are run in a folder, and the folder is
// entered as a container would be, in namespaces of its own, read-only, as the user of the image.

const root = join(import.meta.dirname, '../..')

const enter = `
set -eu
ip link set lo up
# As the chart's sysctl does.
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
mount --bind "$1" "$1"
mkdir -p "$1/proc" "$1/dev"
mount --rbind /proc "$1/proc"
mount --rbind /dev "$1/dev"
export NODE_COMPILE_CACHE=/app/.compile-cache NODE_COMPILE_CACHE_PORTABLE=1
chroot "$1" /usr/local/bin/node /app/warm.js
mount -o remount,bind,ro "$1"
exec chroot $2 "$1" /usr/local/bin/node /app/src/main.js serve --files /app/deploy/examples/demo \\
  --workers 1 --admin-bind-address ::
`

test('the image starts as it would in a cluster: not root, read-only, on ports 80 and 443', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-image-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  // The temporary folder itself is closed to the user of the image.
  const image = join(folder, 'root')
  const steps = runStepOf('npm run build').replaceAll('/root-of-image', image)
  const built = spawnSync('sh', ['-ec', steps], { cwd: root, encoding: 'utf8' })
  assert.equal(built.status, 0, built.stderr)

  const isRoot = process.getuid?.() === 0
  const user = isRoot ? '--userspec=65532:65532' : ''
  const namespaces = isRoot ? '-nm' : '-rnm'
  const started = spawn('unshare', [namespaces, 'sh', '-c', enter, 'sh', image, user], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  })
  t.after(() => started.kill('SIGKILL'))
  let log = ''
  started.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
    // The process is the program itself by now: every step before was an exec or has ended.
    if (log.includes('"message":"ready"')) started.kill('SIGTERM')
  })
  const code = await new Promise((resolve) => started.on('close', resolve))
  assert.match(log, /"message":"ready","httpPort":80,"httpsPort":443,"adminPort":9180/, log)
  assert.equal(code, 0, log)
})

test('the Dockerfile runs what was tried, as a user that is not root', () => {
  const lines = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8')
  assert.match(lines, /^USER 65532:65532$/m)
  assert.match(lines, /^RUN \["\/usr\/local\/bin\/node", "\/app\/warm\.js"\]$/m)
  assert.match(lines, /^ENTRYPOINT \["\/usr\/local\/bin\/node", "\/app\/src\/main\.js"\]$/m)
})

/** The RUN line of the Dockerfile that begins so. */
function runStepOf(start: string): string {
  const lines = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8').split('\n')
  const line = lines.find((text) => text.startsWith(`RUN ${start}`))
  assert.ok(line !== undefined, `the Dockerfile has no RUN ${start}`)
  return line.slice('RUN '.length)
}

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { findOrBuild } from '#test/cluster/support/cached-build.ts'
import { controlPlane } from '#test/cluster/support/go-programs.ts'

/**
 * Headgate and a real API server: `npm run bench:cluster -- [--check] [--only latency|scale]
 * [--ingresses N]`. Runs in a network namespace of its own, for an API server takes no loopback
 * addresses as endpoints.
 */
const prepareNetwork =
  'ip link set lo up && ip route add local 198.18.0.0/15 dev lo && exec "$0" "$@"'

const server = findOrBuild(controlPlane, (line) => {
  process.stdout.write(`bench:cluster: ${line}\n`)
})
if (server.missing !== undefined) {
  process.stdout.write(`bench:cluster: cannot run: ${server.missing}\n`)
  process.exit(1)
}
const flags = process.getuid?.() === 0 ? ['-nm'] : ['-rnm']
const main = join(import.meta.dirname, 'cluster/main.ts')
const command = [process.execPath, main, ...process.argv.slice(2)]
const { status } = spawnSync('unshare', [...flags, 'sh', '-c', prepareNetwork, ...command], {
  stdio: 'inherit',
  env: { ...process.env, HEADGATE_TEST_CONTROL_PLANE: server.path },
})
process.exit(status ?? 1)

import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { findOrBuild } from './support/cached-build.ts'
import { controlPlane, helm } from './support/go-programs.ts'

// npm run test:cluster -- [--required] [--update] [PATTERN…]: runs test/cluster/*.cluster.ts, or those
// whose name contains a pattern, against a real control plane. What is missing is said in one line and
// skips them all; with --required it fails them. --update rewrites what the chart renders to.

const usage = 'usage: npm run test:cluster -- [--required] [--update] [PATTERN…]'
/** The address range of endpoints: an API server takes no loopback addresses in EndpointSlices. */
const prepareNetwork =
  'ip link set lo up && ip route add local 198.18.0.0/15 dev lo && exec "$0" "$@"'
const testTimeoutMs = 300_000

const given = process.argv.slice(2)
const required = given.includes('--required')
const update = given.includes('--update')
const patterns = given.filter((argument) => !['--required', '--update'].includes(argument))

function say(line: string): void {
  process.stdout.write(`test:cluster: ${line}\n`)
}

function chosenFiles(): string[] {
  return globSync(join(import.meta.dirname, '*.cluster.ts'))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .toSorted()
}

/** Programs of the system that the tests run, and the Debian package that brings each. */
const systemPrograms = { unshare: 'util-linux', ip: 'iproute2', kubectl: 'kubernetes-client' }

function findMissingProgram(): string | undefined {
  for (const [program, debianPackage] of Object.entries(systemPrograms)) {
    const { error } = spawnSync(program, ['--help'], { stdio: 'ignore' })
    if (error !== undefined) return `${program} is not installed (Debian: ${debianPackage})`
  }
  return undefined
}

/** A network namespace of its own; anybody but root needs a user namespace for that. */
function namespaceFlags(): string[] {
  return process.getuid?.() === 0 ? ['-nm'] : ['-rnm']
}

function canMakeNamespace(): boolean {
  const args = [...namespaceFlags(), 'sh', '-c', prepareNetwork, 'true']
  return spawnSync('unshare', args, { stdio: 'ignore' }).status === 0
}

function runTests(files: readonly string[], programs: Readonly<Record<string, string>>): number {
  const node = [process.execPath, '--test', '--test-concurrency=1']
  if (update) node.push('--test-update-snapshots')
  const command = [...node, `--test-timeout=${testTimeoutMs}`, ...files]
  const { status } = spawnSync(
    'unshare',
    [...namespaceFlags(), 'sh', '-c', prepareNetwork, ...command],
    { stdio: 'inherit', env: { ...process.env, ...programs } },
  )
  return status ?? 1
}

function main(): number {
  const giveUp = (reason: string): number => {
    say(required ? `cannot run: ${reason}` : `skipped: ${reason}`)
    return required ? 1 : 0
  }
  const files = chosenFiles()
  if (patterns.some((pattern) => pattern.startsWith('-')) || files.length === 0) {
    say(files.length === 0 ? 'no test file has such a name' : usage)
    return 2
  }
  const missing = findMissingProgram()
  if (missing !== undefined) return giveUp(missing)
  if (!canMakeNamespace()) return giveUp('network namespaces cannot be made here')
  const server = findOrBuild(controlPlane, say)
  if (server.missing !== undefined) return giveUp(server.missing)
  const programs: Record<string, string> = { HEADGATE_TEST_CONTROL_PLANE: server.path }
  // Only the tests of the chart need Helm, and it takes minutes to build.
  if (files.some((file) => basename(file).startsWith('chart'))) {
    const chart = findOrBuild(helm, say)
    if (chart.missing !== undefined) return giveUp(chart.missing)
    programs['HEADGATE_TEST_HELM'] = chart.path
  }
  return runTests(files, programs)
}

process.exit(main())

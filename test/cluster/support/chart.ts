import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './kubectl.ts'
import type { Finished } from './kubectl.ts'

const root = join(import.meta.dirname, '../../..')
/** The chart. */
export const chartFolder = join(root, 'deploy/chart')
/** The manifests for those who do not use Helm. */
export const plainManifestsFile = join(root, 'deploy/manifests/headgate.yaml')
const plainValuesFile = join(root, 'deploy/manifests/values.yaml')

/** Runs helm with caches of its own, so that it neither sees nor leaves anything of the user's. */
export async function helm(args: readonly string[], kubeconfig = ''): Promise<Finished> {
  const program = process.env['HEADGATE_TEST_HELM']
  if (program === undefined) throw new Error('these tests are run by: npm run test:cluster')
  const home = mkdtempSync(join(tmpdir(), 'headgate-helm-'))
  try {
    return await run(program, args, {
      env: {
        HELM_CACHE_HOME: home,
        HELM_CONFIG_HOME: home,
        HELM_DATA_HOME: home,
        KUBECONFIG: kubeconfig,
      },
    })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** The chart as YAML text, without a cluster. Throws with helm's words. */
export async function renderChart(args: readonly string[]): Promise<string> {
  // Helm takes its own library's version for the cluster's where none is asked.
  const flags = ['--namespace', 'headgate', '--kube-version', kubernetesVersion()]
  const finished = await helm(['template', 'headgate', chartFolder, ...flags, ...args])
  if (finished.code === 0) return finished.stdout
  throw new Error(finished.stderr.trim())
}

/** deploy/manifests/headgate.yaml as it must be. */
export async function renderPlainManifests(): Promise<string> {
  const rendered = await renderChart(['--values', plainValuesFile])
  const ofHelm = /^ +(?:app\.kubernetes\.io\/managed-by|helm\.sh\/chart): .*\n/gm
  const head = [
    '# Headgate without Helm: kubectl apply -f headgate.yaml',
    '# Rendered from deploy/chart; put an image of yours where "image:" stands.',
    'apiVersion: v1',
    'kind: Namespace',
    'metadata:',
    '  name: headgate',
    '  labels:',
    '    pod-security.kubernetes.io/enforce: restricted',
  ]
  return `${head.join('\n')}\n${rendered.replaceAll(ofHelm, '').replaceAll(/^# Source: .*\n/gm, '')}`
}

function kubernetesVersion(): string {
  const mod = readFileSync(join(import.meta.dirname, '../control-plane/go.mod'), 'utf8')
  return /\bk8s\.io\/kubernetes (v\S+)/.exec(mod)?.[1] ?? ''
}

import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runGo } from './cached-build.ts'
import type { GoProgram } from './cached-build.ts'

const folder = join(import.meta.dirname, '../control-plane')
const helmModule = 'helm.sh/helm/v3/cmd/helm@v3.22.0'

/** etcd, kube-apiserver and kube-controller-manager in one process. */
export const controlPlane: GoProgram = {
  name: 'control-plane',
  sources: readdirSync(folder)
    .filter((name) => /\.(?:go|mod|sum)$/.test(name))
    .map((name) => join(folder, name)),
  recipe: ['-s -w'],
  takes: '5 minutes',
  build: (out) => {
    runGo(['build', '-ldflags', linkerFlags(), '-o', out, '.'], {
      cwd: folder,
      env: { GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    })
  },
}

export const helm: GoProgram = {
  name: 'helm',
  sources: [],
  recipe: [helmModule],
  takes: '4 minutes',
  build: (out) => {
    const bin = mkdtempSync(join(tmpdir(), 'headgate-helm-'))
    try {
      runGo(['install', helmModule], { cwd: bin, env: { GOBIN: bin, GOFLAGS: '-mod=mod' } })
      // Not renamed: the cache may be on another file system.
      copyFileSync(join(bin, 'helm'), out)
    } finally {
      rmSync(bin, { recursive: true, force: true })
    }
  },
}

/** Without a version in it kubectl cannot read what the server says of itself. */
function linkerFlags(): string {
  const mod = readFileSync(join(folder, 'go.mod'), 'utf8')
  const version = /\bk8s\.io\/kubernetes v(\d+\.(\d+)\.\d+)/.exec(mod)
  if (version === null) throw new Error('go.mod names no version of k8s.io/kubernetes')
  const [, full = '', minor = ''] = version
  const values = {
    gitVersion: `v${full}`,
    gitMajor: '1',
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'test',
    buildDate: '1970-01-01T00:00:00Z',
  }
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
  const settings = packages.flatMap((name) =>
    Object.entries(values).map(([variable, value]) => `-X ${name}.${variable}=${value}`),
  )
  return ['-s -w', ...settings].join(' ')
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBackend } from './backend.ts'
import { writeCertificate } from './certificate.ts'
import { startEnvoy } from './envoy.ts'
import { startHaproxy } from './haproxy.ts'
import { startHeadgate } from './headgate.ts'
import { startNginx } from './nginx.ts'
import { checkPolicies } from './check-policies.ts'
import { kindsOf } from './policies.ts'
import type { ProxyBuild, ProxyKind, RunningProxy, Setup, Site } from './site.ts'

type Starter = (build: ProxyBuild, site: Site, setup: Setup) => Promise<RunningProxy>

const starters: Readonly<Record<ProxyKind, Starter>> = {
  headgate: startHeadgate,
  nginx: startNginx,
  haproxy: startHaproxy,
  envoy: startEnvoy,
}

/** Nothing but routing and forwarding fields. */
export const plain: Setup = { logged: false, logLines: false, policies: false }

/** All setups of the comparison. */
export const setups: readonly Setup[] = [
  plain,
  { logged: true, logLines: false, policies: false },
  { logged: true, logLines: false, policies: true },
  { logged: true, logLines: true, policies: true },
]

/**
 * Starts every build that can have the setup; on failure stops those that started. With policies it
 * fails, too, when one of them does not do what the others do.
 */
export async function startAll(
  builds: readonly ProxyBuild[],
  site: Site,
  setup: Setup,
): Promise<RunningProxy[]> {
  const started: RunningProxy[] = []
  const kinds = kindsOf(setup)
  try {
    for (const build of builds) {
      if (!kinds.includes(build.kind)) continue
      started.push(await starters[build.kind](build, site, setup))
    }
    if (setup.policies) await checkPolicies(started, site)
  } catch (error) {
    await stopAll(started)
    throw error
  }
  return started
}

export async function stopAll(
  proxies: readonly { readonly stop: () => Promise<void> }[],
): Promise<void> {
  await Promise.all(proxies.map(async (proxy) => await proxy.stop()))
}

/** A temporary folder with a certificate and a backend, gone when `work` is done. */
export async function withSite(
  cores: { readonly proxyCores: string; readonly loadCores: string },
  work: (site: Site) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  const host = 'bench.example'
  try {
    const certificate = await writeCertificate(host, folder)
    const ports = { backendPort: 0, grpcPort: 0, streamPort: 0 }
    const bare = { host, folder, ...ports, proxyCores: cores.proxyCores, ...certificate }
    const backend = await startBackend(bare, cores.loadCores)
    try {
      const { port: backendPort, grpcPort, streamPort } = backend
      await work({ ...bare, backendPort, grpcPort, streamPort })
    } finally {
      await backend.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

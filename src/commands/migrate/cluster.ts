import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { compile } from '#src/compile/compile.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import { createApiClient } from '#src/kubernetes/api-client.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { ApiError, isForbidden, isNotFound } from '#src/kubernetes/api-error.ts'
import { chooseCluster } from '#src/kubernetes/kube-config.ts'
import { KubeConfigError } from '#src/kubernetes/kube-file.ts'
import { kinds } from '#src/snapshot/objects.ts'
import type { AnyObject, Kind } from '#src/snapshot/objects.ts'
import { listAll } from '#src/sources/cluster/paged-list.ts'
import { Projector } from '#src/sources/cluster/projector.ts'
import { readObject } from '#src/sources/cluster/raw-object.ts'
import { allOf, pathOf, pathOfOne } from '#src/sources/cluster/resources.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import type { CommandContext } from '../command.ts'
import { CommandError } from '../command.ts'
import { snapshotOf } from '../manifests.ts'
import type { Progress } from '../progress.ts'
import { compileSettingsOf } from '../settings.ts'
import { productVersion } from '../version.ts'
import { chooseMovers } from './classes.ts'

/** The objects of a cluster as they are now, and what is wrong with those that cannot be used. */
export interface ClusterObjects {
  readonly objects: readonly AnyObject[]
  readonly diagnostics: readonly Diagnostic[]
}

const clusterKinds: ReadonlySet<Kind> = new Set<Kind>(['IngressClass', 'Namespace'])
/** More Secrets than a cluster of 10,000 Ingresses refers to. */
const secretsMax = 50_000

/**
 * Reads what there is in the cluster of --kubeconfig, else around this process, else of KUBECONFIG: in the
 * namespaces of --watch-namespace, or in all; of Secrets those that are referred to. A kind that may not be
 * read is told and left out; without Ingresses there is nothing to say. Undefined: nothing names a cluster.
 */
export async function readCluster(
  { values, environment, writeError }: CommandContext,
  progress: Progress,
): Promise<ClusterObjects | undefined> {
  const { kubeconfig, context, 'watch-namespace': namespaces = [] } = values
  try {
    const cluster = await chooseCluster({ kubeconfig, context }, environment)
    if (cluster === undefined) return undefined
    const client = await createApiClient({ cluster, userAgent: `headgate/${productVersion()}` })
    try {
      const projector = new Projector(() => {})
      const reading = { client, projector, namespaces, writeError, progress }
      const objects = await readKinds(reading)
      objects.push(...(await readSecrets(reading, objects, compileSettingsOf(values))))
      return { objects, diagnostics: [...projector.findings].flat() }
    } finally {
      await client.close()
    }
  } catch (error) {
    if (error instanceof KubeConfigError || error instanceof ApiError) {
      throw new CommandError(error.message)
    }
    throw error
  }
}

interface Reading {
  readonly client: ApiClient
  readonly projector: Projector
  readonly namespaces: readonly string[]
  readonly writeError: (line: string) => Promise<void>
  readonly progress: Progress
}

/** Everything but Secrets. */
async function readKinds(reading: Reading): Promise<AnyObject[]> {
  const { client, projector, namespaces, writeError, progress } = reading
  const objects: AnyObject[] = []
  for (const kind of kinds) {
    if (kind === 'Secret') continue
    const places = namespaces.length === 0 || clusterKinds.has(kind) ? [''] : namespaces
    for (const namespace of places) {
      await progress.report(() => `reading the cluster: ${objects.length} objects, now ${kind}`)
      const found = await listKind(client, projector, { kind, namespace })
      if (found !== undefined) objects.push(...found)
      else await writeError(`${pathOf(kind, namespace)} may not be read, and counts as empty`)
    }
  }
  return objects
}

/** The Secrets that something refers to, one by one: the others are none of our business. */
async function readSecrets(
  { client, projector, writeError, progress }: Reading,
  others: readonly AnyObject[],
  settings: CompileSettings,
): Promise<AnyObject[]> {
  const inputs = { ...certificateReaders, nowMs: Date.now() }
  const movers = chooseMovers(others, settings)
  const { secrets } = compile(
    snapshotOf(movers.objects),
    { ...settings, everyClass: true },
    inputs,
  ).references
  const found: AnyObject[] = []
  for (const [i, { namespace, name }] of secrets.slice(0, secretsMax).entries()) {
    await progress.report(() => `reading the cluster: ${i} of ${secrets.length} Secrets`)
    const path = pathOfOne('Secret', namespace, name)
    try {
      const raw = readObject(await client.request({ method: 'GET', path }))
      const object = projector.project('Secret', raw)
      if (object !== undefined) found.push(object)
    } catch (error) {
      if (isNotFound(error)) continue
      if (!isForbidden(error)) throw error
      await writeError(`${path} may not be read: what refers to Secrets is judged without them`)
      break
    }
  }
  return found
}

/** Undefined: it may not be read, and all can be judged without it. */
async function listKind(
  client: ApiClient,
  projector: Projector,
  { kind, namespace }: { readonly kind: Kind; readonly namespace: string },
): Promise<AnyObject[] | undefined> {
  let found: AnyObject[] = []
  try {
    await listAll(client, allOf(kind, namespace), {
      signal: new AbortController().signal,
      take: (raw) => {
        const object = projector.project(kind, raw)
        if (object !== undefined) found.push(object)
      },
      restart: () => {
        found = []
      },
    })
    return found
  } catch (error) {
    if (kind === 'Ingress' || !isForbidden(error)) throw error
    return undefined
  }
}

import { createApiClient } from '#src/kubernetes/api-client.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { ApiError } from '#src/kubernetes/api-error.ts'
import { chooseCluster } from '#src/kubernetes/kube-config.ts'
import { KubeConfigError } from '#src/kubernetes/kube-file.ts'
import { CommandError } from './command.ts'
import type { CommandContext } from './command.ts'
import type { FlagValues } from './flags.ts'
import { UsageError } from './parse-flags.ts'
import { productVersion } from './version.ts'

type Environment = CommandContext['environment']

/** Labels that the chart and the plain manifests give to Pods. */
const podSelector = 'app.kubernetes.io/name=headgate,app.kubernetes.io/component=controller'
const tokenKey = 'admin-token'
const defaultNamespace = 'headgate'

interface Pod {
  readonly metadata: { readonly name: string }
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

/**
 * Asks the admin port of a Pod through the API server's proxy. That proxy takes Authorization for
 * itself, so the token goes as X-Headgate-Token; it is read from the chart's Secret where no file has it.
 */
export async function askPod(
  values: FlagValues,
  environment: Environment,
  path: string,
  token: string,
): Promise<unknown> {
  const client = await clientOf(values, environment)
  try {
    const namespace = values.namespace ?? defaultNamespace
    const pod = values.pod ?? (await findPod(client, namespace))
    const sent = token === '' ? await readToken(client, namespace) : token
    const [pathname = '', search = ''] = path.split('?')
    const proxy = `/api/v1/namespaces/${namespace}/pods/${pod}:${values['admin-port'] ?? 9180}/proxy`
    return await client.request({
      method: 'GET',
      path: `${proxy}${pathname}${search === '' ? '' : `?${search}`}`,
      headers: sent === '' ? {} : { 'x-headgate-token': sent },
    })
  } catch (error) {
    if (error instanceof ApiError) throw new CommandError(error.message)
    throw error
  } finally {
    await client.close()
  }
}

async function clientOf(values: FlagValues, environment: Environment): Promise<ApiClient> {
  const { kubeconfig, context } = values
  const home = environment['HOME'] ?? ''
  // What kubectl does: its own file in the home folder, where nothing else is named.
  const preset = home === '' ? {} : { KUBECONFIG: `${home}/.kube/config` }
  try {
    const cluster = await chooseCluster({ kubeconfig, context }, { ...preset, ...environment })
    if (cluster === undefined) throw new UsageError('no cluster: give --kubeconfig')
    return await createApiClient({ cluster, userAgent: `headgate/${productVersion()}` })
  } catch (error) {
    if (error instanceof KubeConfigError) throw new CommandError(error.message)
    throw error
  }
}

/** The first Pod that is ready, by name. */
async function findPod(client: ApiClient, namespace: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods`
  const query = { labelSelector: podSelector }
  const { items } = (await client.request({ method: 'GET', path, query })) as { items: Pod[] }
  const ready = items.filter(({ status }) =>
    status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
  )
  const [name] = ready.map(({ metadata }) => metadata.name).toSorted()
  if (name !== undefined) return name
  throw new CommandError(
    `no Pod of Headgate is ready in namespace ${namespace} (${items.length} found); give --namespace or --pod`,
  )
}

/** '' where there is none, or no right to read it: the instance says what that means. */
async function readToken(client: ApiClient, namespace: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/secrets/headgate-secret`
  const answer = await client.request({ method: 'GET', path }).catch(() => undefined)
  const data = (answer as { data?: Record<string, string> } | undefined)?.data
  return Buffer.from(data?.[tokenKey] ?? '', 'base64').toString()
}

import { createApiClient } from '#src/kubernetes/api-client.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { ApiError, isForbidden } from '#src/kubernetes/api-error.ts'
import { chooseCluster } from '#src/kubernetes/kube-config.ts'
import { KubeConfigError } from '#src/kubernetes/kube-file.ts'
import { errorText } from '#src/observe/log.ts'
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
const defaultAdminPort = 9180

/** What is read of a Pod; the names of port and volume are those of the chart. */
interface Pod {
  readonly metadata: { readonly name: string }
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
    }[]
    readonly volumes?: readonly {
      readonly name: string
      readonly secret?: { readonly secretName?: string }
    }[]
  }
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

/**
 * Asks the admin port of a Pod through the API server's proxy. That proxy takes Authorization for
 * itself, so the token goes as X-Headgate-Token; it is read from the Secret of the Pod where no file has it.
 */
export async function askPod(
  { values, environment, writeError }: CommandContext,
  path: string,
  token: string,
): Promise<unknown> {
  const client = await clientOf(values, environment)
  try {
    const namespace = values.namespace ?? defaultNamespace
    const pods = `/api/v1/namespaces/${namespace}/pods`
    const pod =
      values.pod === undefined
        ? await findPod(client, namespace, writeError)
        : ((await client.request({ method: 'GET', path: `${pods}/${values.pod}` })) as Pod)
    const secret = secretOf(pod)
    const sent = token === '' ? await readToken(client, namespace, secret) : token
    const [pathname = '', search = ''] = path.split('?')
    const port = values['admin-port'] ?? adminPortOf(pod)
    const proxy = `${pods}/${pod.metadata.name}:${port}/proxy`
    const asked = client.request({
      method: 'GET',
      path: `${proxy}${pathname}${search === '' ? '' : `?${search}`}`,
      headers: sent === '' ? {} : { 'x-headgate-token': sent },
    })
    return await asked.catch((error: unknown) => {
      if (sent !== '' || !isForbidden(error)) throw error
      const hint = `no token was sent: Secret ${namespace}/${secret} has no ${tokenKey} that you may read`
      throw new CommandError(`${errorText(error)}; ${hint}`)
    })
  } catch (error) {
    if (error instanceof ApiError) throw new CommandError(error.message)
    throw error
  } finally {
    await client.close()
  }
}

function adminPortOf({ spec }: Pod): number {
  const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? [])
  return ports.find(({ name }) => name === 'admin')?.containerPort ?? defaultAdminPort
}

/** The Secret that the Pod has its token from. */
function secretOf({ spec }: Pod): string {
  const volume = spec?.volumes?.find(({ name }) => name === 'secret')
  return volume?.secret?.secretName ?? 'headgate-secret'
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

/** The first Pod that is ready, by name; where there are more, it is said which is asked. */
async function findPod(
  client: ApiClient,
  namespace: string,
  writeError: CommandContext['writeError'],
): Promise<Pod> {
  const path = `/api/v1/namespaces/${namespace}/pods`
  const query = { labelSelector: podSelector }
  const { items } = (await client.request({ method: 'GET', path, query })) as { items: Pod[] }
  const ready = items
    .filter(({ status }) =>
      status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    )
    .toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1))
  const [pod] = ready
  if (pod === undefined) {
    throw new CommandError(
      `no Pod of Headgate is ready in namespace ${namespace} (${items.length} found); give --namespace or --pod`,
    )
  }
  if (ready.length > 1) {
    const { name } = pod.metadata
    await writeError(
      `asking Pod ${name}, one of ${ready.length} that are ready; --pod names another`,
    )
  }
  return pod
}

/** '' where there is none, or no right to read it: the instance says what that means. */
async function readToken(client: ApiClient, namespace: string, secret: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${secret}`
  const answer = await client.request({ method: 'GET', path }).catch(() => undefined)
  const data = (answer as { data?: Record<string, string> } | undefined)?.data
  return Buffer.from(data?.[tokenKey] ?? '', 'base64').toString()
}

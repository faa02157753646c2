import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { addressesOfNode, sortedAddresses } from './addresses.ts'
import type { NodeAddress } from './addresses.ts'

/** The Pod of this process. */
export interface OwnPod {
  readonly namespace: string
  readonly name: string
}

/** What is read of a Pod. */
interface Pod {
  readonly metadata?: {
    readonly name?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly spec?: { readonly nodeName?: string }
  readonly status?: { readonly phase?: string }
}

/** Labels that differ between Pods of one Deployment, StatefulSet or DaemonSet. */
const revisionLabels = new Set([
  'pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
])
const nodesMax = 100

/**
 * The Pods that run the same as this one, by its labels. Needs the rights get and list on Pods of the
 * namespace; and get on Nodes for `addresses`.
 */
export class Replicas {
  readonly #client: ApiClient
  readonly #own: OwnPod
  #selector: string | undefined

  constructor(client: ApiClient, own: OwnPod) {
    this.#client = client
    this.#own = own
  }

  /** Addresses of the Nodes that replicas run on, sorted; of 100 Nodes at most. */
  async addresses(): Promise<string[]> {
    const nodes = new Set<string>()
    for (const { spec, status } of await this.#pods()) {
      if (status?.phase === 'Running' && spec?.nodeName !== undefined) nodes.add(spec.nodeName)
    }
    const found: string[] = []
    for (const node of [...nodes].toSorted().slice(0, nodesMax)) {
      const path = `/api/v1/nodes/${encodeURIComponent(node)}`
      const { status } = (await this.#client.request({ method: 'GET', path })) as {
        readonly status?: { readonly addresses?: readonly NodeAddress[] }
      }
      found.push(...addressesOfNode(status?.addresses ?? []))
    }
    return sortedAddresses(found)
  }

  /** Whether another replica is there, or about to be: not one that ends or has ended. */
  async others(): Promise<boolean> {
    const pods = await this.#pods()
    return pods.some(
      ({ metadata, status }) =>
        metadata?.name !== this.#own.name &&
        metadata?.deletionTimestamp === undefined &&
        (status?.phase === 'Running' || status?.phase === 'Pending'),
    )
  }

  async #pods(): Promise<readonly Pod[]> {
    const { namespace } = this.#own
    const list = (await this.#client.request({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/pods`,
      query: { labelSelector: await this.#labels() },
    })) as { readonly items?: readonly Pod[] }
    return list.items ?? []
  }

  async #labels(): Promise<string> {
    if (this.#selector !== undefined) return this.#selector
    const { namespace, name } = this.#own
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`
    const { metadata } = (await this.#client.request({ method: 'GET', path })) as Pod
    const labels = Object.entries(metadata?.labels ?? {}).filter(
      ([key]) => !revisionLabels.has(key),
    )
    // Without labels every Pod of the namespace would count.
    if (labels.length === 0) throw new Error(`Pod ${namespace}/${name} has no labels`)
    this.#selector = labels.map(([key, value]) => `${key}=${value}`).join(',')
    return this.#selector
  }
}

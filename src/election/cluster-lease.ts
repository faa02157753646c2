import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { isConflict, isNotFound } from '#src/kubernetes/api-error.ts'
import type { LeaseApi } from './election.ts'
import { leaseWith, readLease } from './lease.ts'
import type { Claim, Lease } from './lease.ts'

/** A Lease is small; whatever else answers there is not one. */
const bytesMax = 256 * 1024

/** A Lease of the cluster, by name. Needs the rights get, create and update on it. */
export class ClusterLease implements LeaseApi {
  readonly #client: ApiClient
  readonly #place: { readonly namespace: string; readonly name: string }
  readonly #collection: string

  constructor(client: ApiClient, place: { readonly namespace: string; readonly name: string }) {
    this.#client = client
    this.#place = place
    this.#collection = `/apis/coordination.k8s.io/v1/namespaces/${place.namespace}/leases`
  }

  async read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      const path = `${this.#collection}/${this.#place.name}`
      return readLease(await this.#client.request({ method: 'GET', path, signal, bytesMax }))
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async write(
    before: Lease | undefined,
    claim: Claim,
    signal: AbortSignal,
  ): Promise<Lease | undefined> {
    const body = leaseWith(this.#place, before, claim)
    const target =
      before === undefined
        ? ({ method: 'POST', path: this.#collection } as const)
        : ({ method: 'PUT', path: `${this.#collection}/${this.#place.name}` } as const)
    try {
      return readLease(await this.#client.request({ ...target, body, signal, bytesMax }))
    } catch (error) {
      // Somebody was faster; or deleted it meanwhile, which the next reading finds.
      if (isConflict(error) || (before !== undefined && isNotFound(error))) return undefined
      throw error
    }
  }
}

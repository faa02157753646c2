import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { isNotFound } from '#src/kubernetes/api-error.ts'
import type { Service } from '#src/snapshot/objects.ts'
import { project } from '#src/snapshot/project.ts'
import { addressesOfService, sortedAddresses } from './addresses.ts'
import type { Replicas } from './replicas.ts'

/** Where the addresses for the status of Ingresses come from: the first that is given. */
export interface PublishSettings {
  /** --publish-status-address */
  readonly addresses: readonly string[]
  /** --publish-service */
  readonly service: { readonly namespace: string; readonly name: string } | undefined
}

export interface PublishedAddressesOptions extends PublishSettings {
  readonly client: ApiClient
  /** Undefined: it is not known which Pod this is. */
  readonly replicas: Replicas | undefined
  readonly log: Logger
}

/** Finds out at which addresses clients reach this controller. */
export class PublishedAddresses {
  readonly #options: PublishedAddressesOptions
  #lastProblem = ''

  constructor(options: PublishedAddressesOptions) {
    this.#options = options
  }

  /** The addresses, sorted. Undefined: they are not known at present, which is logged. */
  async find(): Promise<readonly string[] | undefined> {
    const { addresses, service } = this.#options
    if (addresses.length > 0) return sortedAddresses(addresses)
    try {
      const found = service === undefined ? await this.#ofNodes() : await this.#ofService()
      this.#lastProblem = ''
      return found
    } catch (error) {
      this.#report(errorText(error))
      return undefined
    }
  }

  /** Some Pod of ours runs: no address means that it is not known yet. */
  async #ofNodes(): Promise<string[]> {
    const { replicas } = this.#options
    if (replicas === undefined) {
      const names = 'neither --publish-service nor --publish-status-address is given'
      throw new Error(`${names}, and POD_NAME and POD_NAMESPACE do not say which Pod this is`)
    }
    const found = await replicas.addresses()
    if (found.length === 0) throw new Error('no Pod of ours is known to run on a node')
    return found
  }

  async #ofService(): Promise<string[]> {
    const { client, service } = this.#options
    const { namespace = '', name = '' } = service ?? {}
    const path = `/api/v1/namespaces/${namespace}/services/${name}`
    try {
      const { objects } = project(await client.request({ method: 'GET', path }), '')
      return addressesOfService(objects[0] as Service)
    } catch (error) {
      if (!isNotFound(error)) throw error
      throw new Error(`--publish-service: Service ${namespace}/${name} does not exist`, {
        cause: error,
      })
    }
  }

  /** Once for a row of the same problem. */
  #report(problem: string): void {
    if (problem === this.#lastProblem) return
    this.#lastProblem = problem
    this.#options.log.warn('addresses for status.loadBalancer are not known', { problem })
  }
}

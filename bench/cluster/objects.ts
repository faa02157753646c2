import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'
import type { ClusterApi, Manifest } from '#test/cluster/support/cluster-api.ts'
import { endpointSliceOf, ingressOf, siteObjects } from '#test/cluster/support/site-objects.ts'
import type { SiteOptions } from '#test/cluster/support/site-objects.ts'

/** How much there is in the cluster. */
export interface Scale {
  readonly ingresses: number
  readonly services: number
  readonly endpoints: number
}

export const classObject: Manifest = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'headgate' },
  spec: { controller: 'headgate.dev/ingress-controller' },
}

const namespaces = 20
const parallel = 12

/** The Service that is asked; all others have endpoints that nobody serves. */
export function measuredSite(addresses: readonly string[]): SiteOptions {
  return { namespace: 'n0', name: 'measured', host: 'measured.example', addresses, port: 8080 }
}

/** Fills the cluster: half of the Ingresses have a certificate of their own. */
export async function fill(api: ClusterApi, scale: Scale, measured: SiteOptions): Promise<void> {
  for (let i = 0; i < namespaces; i++) await api.createNamespace(`n${i}`)
  await api.apply([classObject, ...siteObjects(measured)])
  const perService = Math.ceil(scale.endpoints / scale.services)
  await inParallel(scale.services, async (i) => {
    const addresses = Array.from({ length: perService }, (_, k) => addressOf(i * perService + k))
    const [, service, slice] = siteObjects(siteOf(i, addresses))
    await create(api, service as Manifest)
    await create(api, slice as Manifest)
  })
  await inParallel(scale.ingresses, async (i) => {
    const options = { ...siteOf(i % scale.services, []), host: `h${i}.example` }
    const ingress = ingressOf(options)
    const metadata = { ...ingress.metadata, name: `i${i}` }
    const spec = ingress['spec'] as object
    if (i % 2 === 1) {
      await create(api, { ...ingress, metadata })
      return
    }
    await create(api, await secretOf(options.namespace, `s${i}`, options.host))
    const tls = [{ hosts: [options.host], secretName: `s${i}` }]
    await create(api, { ...ingress, metadata, spec: { ...spec, tls } })
  })
}

/** Points the measured Service to one address. */
export async function pointTo(api: ClusterApi, address: string): Promise<void> {
  await api.apply([endpointSliceOf(measuredSite([address]))])
}

/** Changes one of the other Services. */
export async function touch(api: ClusterApi, service: number, step: number): Promise<void> {
  await api.apply([endpointSliceOf(siteOf(service, [addressOf(step), addressOf(step + 1)]))])
}

function siteOf(service: number, addresses: readonly string[]): SiteOptions {
  const namespace = `n${service % namespaces}`
  return { namespace, name: `w${service}`, host: '', addresses, port: 9000 }
}

function addressOf(number: number): string {
  return `198.19.${(number >> 8) & 255}.${number & 255}`
}

async function create(api: ClusterApi, object: Manifest): Promise<void> {
  const path = (await api.pathOf(object)).replace(/\/[^/]+$/, '')
  const { status, body } = await api.ask('POST', path, object)
  if (status >= 300) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`)
}

async function secretOf(namespace: string, name: string, host: string): Promise<Manifest> {
  const { certificatePem, keyPem } = await createSelfSignedCertificate({
    commonName: host,
    names: [host],
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 30 * 86_400_000),
  })
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificatePem, 'tls.key': keyPem },
  }
}

async function inParallel(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const runner = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: parallel }, runner))
}

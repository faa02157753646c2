import type { Manifest } from './cluster-api.ts'

/** What makes one host reachable: an Ingress, a Service and an EndpointSlice. */
export interface SiteOptions {
  readonly namespace: string
  readonly name: string
  readonly host: string
  /** Addresses of endpoints, out of 198.18.0.0/15. */
  readonly addresses: readonly string[]
  /** Port of all endpoints. */
  readonly port: number
  readonly ingressClass?: string
  readonly annotations?: Readonly<Record<string, string>>
}

export function siteObjects(options: SiteOptions): Manifest[] {
  return [ingressOf(options), serviceOf(options), endpointSliceOf(options)]
}

export function ingressOf(options: SiteOptions): Manifest {
  const { namespace, name, host, ingressClass = 'headgate', annotations = {} } = options
  const backend = { service: { name, port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, annotations },
    spec: {
      ingressClassName: ingressClass,
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  }
}

/** Without a selector, so that the EndpointSlice of the test is the only one. */
function serviceOf({ namespace, name, port }: SiteOptions): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: 'http', port: 80, targetPort: port }] },
  }
}

export function endpointSliceOf({ namespace, name, addresses, port }: SiteOptions): Manifest {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-1`,
      namespace,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
    })),
  }
}

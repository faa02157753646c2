/**
 * Kubernetes objects as the compiler reads them: slim, checked, one shape whatever the source. A
 * projection keeps what is named here and drops the rest (managedFields first of all).
 */

export const kinds = [
  'Ingress',
  'IngressClass',
  'Service',
  'EndpointSlice',
  'Secret',
  'ConfigMap',
  'Namespace',
] as const

export type Kind = (typeof kinds)[number]

export interface Metadata {
  /** '' for objects of cluster scope. */
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Milliseconds since 1970; 0 when absent, so that objects without it count as oldest. */
  readonly createdMs: number
  readonly generation: number
  readonly annotations: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

interface ObjectBase<K extends Kind> {
  readonly kind: K
  readonly metadata: Metadata
  /** File (and document in it) where the object stands, '' from a cluster. */
  readonly file: string
}

export interface Ingress extends ObjectBase<'Ingress'> {
  readonly className: string | undefined
  readonly defaultBackend: IngressBackend | undefined
  readonly tls: readonly IngressTls[]
  readonly rules: readonly IngressRule[]
  /**
   * IPs and host names in status.loadBalancer, as of the last time that anything else changed: for the
   * newest see `Store.publishedOf`.
   */
  readonly published: readonly string[]
}

export interface IngressTls {
  readonly hosts: readonly string[]
  readonly secretName: string
}

export interface IngressRule {
  /** '' when absent: every host. */
  readonly host: string
  /** Undefined: the rule has no `http` section. */
  readonly paths: readonly IngressPath[] | undefined
}

export interface IngressPath {
  readonly path: string
  readonly pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific'
  readonly backend: IngressBackend
}

export type IngressBackend =
  | { readonly service: { readonly name: string; readonly port: string | number } }
  | {
      readonly resource: { readonly apiGroup: string; readonly kind: string; readonly name: string }
    }

export interface IngressClass extends ObjectBase<'IngressClass'> {
  readonly controller: string
  readonly parameters:
    { readonly kind: string; readonly name: string; readonly namespace: string } | undefined
}

export interface Service extends ObjectBase<'Service'> {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  readonly clusterIps: readonly string[]
  readonly externalIps: readonly string[]
  readonly externalName: string
  readonly ports: readonly ServicePort[]
  readonly sessionAffinity: 'None' | 'ClientIP'
  readonly sessionAffinitySeconds: number
  readonly trafficDistribution: string
  readonly loadBalancerAddresses: readonly string[]
}

export interface ServicePort {
  readonly name: string
  readonly port: number
  readonly targetPort: string | number
  readonly protocol: string
  readonly appProtocol: string
}

export interface EndpointSlice extends ObjectBase<'EndpointSlice'> {
  /** Label kubernetes.io/service-name, '' without. */
  readonly serviceName: string
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly ports: readonly EndpointPort[]
  readonly endpoints: readonly SliceEndpoint[]
}

export interface EndpointPort {
  readonly name: string
  readonly port: number
  readonly protocol: string
  readonly appProtocol: string
}

export interface SliceEndpoint {
  /** The first of `addresses`; the others have no meaning. */
  readonly address: string
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly zone: string
  readonly nodeName: string
  readonly zoneHints: readonly string[]
  readonly nodeHints: readonly string[]
  readonly targetUid: string
  readonly targetName: string
}

export interface Secret extends ObjectBase<'Secret'> {
  readonly type: string
  /** Decoded values: bytes, one character each (latin1). */
  readonly data: Readonly<Record<string, string>>
}

export interface ConfigMap extends ObjectBase<'ConfigMap'> {
  readonly data: Readonly<Record<string, string>>
}

export interface Namespace extends ObjectBase<'Namespace'> {
  readonly phase: string
}

export interface ObjectByKind {
  readonly Ingress: Ingress
  readonly IngressClass: IngressClass
  readonly Service: Service
  readonly EndpointSlice: EndpointSlice
  readonly Secret: Secret
  readonly ConfigMap: ConfigMap
  readonly Namespace: Namespace
}

export type AnyObject = ObjectByKind[Kind]

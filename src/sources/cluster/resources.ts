import type { Kind } from '#src/snapshot/objects.ts'

interface Resource {
  readonly apiVersion: string
  readonly plural: string
  readonly clusterScope: boolean
}

/** How the API server calls each kind. */
const resources: { readonly [K in Kind]: Resource } = {
  Ingress: named('networking.k8s.io/v1', 'ingresses'),
  IngressClass: { ...named('networking.k8s.io/v1', 'ingressclasses'), clusterScope: true },
  Service: named('v1', 'services'),
  EndpointSlice: named('discovery.k8s.io/v1', 'endpointslices'),
  Secret: named('v1', 'secrets'),
  ConfigMap: named('v1', 'configmaps'),
  Namespace: { ...named('v1', 'namespaces'), clusterScope: true },
}

function named(apiVersion: string, plural: string): Resource {
  return { apiVersion, plural, clusterScope: false }
}

/** Some objects of one kind. */
export interface Target {
  readonly kind: Kind
  /** '' for all namespaces, and for kinds of cluster scope. */
  readonly namespace: string
  /** Only the object of this name; '' for all. */
  readonly name: string
  /** Only objects with these fields or labels, in the API's own form; '' for all. */
  readonly fieldSelector: string
  readonly labelSelector: string
  /** Names and versions without the contents. */
  readonly metadataOnly: boolean
}

/** All objects of a kind, in one namespace or ('') everywhere. */
export function allOf(kind: Kind, namespace: string): Target {
  const selectors = { name: '', fieldSelector: '', labelSelector: '' }
  return { kind, namespace, ...selectors, metadataOnly: false }
}

/** One object, whether it exists or not. */
export function oneOf(kind: Kind, namespace: string, name: string): Target {
  return { ...allOf(kind, namespace), name, fieldSelector: `metadata.name=${name}` }
}

export function apiVersionOf(kind: Kind): string {
  return resources[kind].apiVersion
}

/** Path of the list. */
export function pathOf(kind: Kind, namespace: string): string {
  const { apiVersion, plural, clusterScope } = resources[kind]
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = clusterScope || namespace === '' ? '' : `/namespaces/${namespace}`
  return `${root}${scope}/${plural}`
}

/** Path of one object. */
export function pathOfOne(kind: Kind, namespace: string, name: string): string {
  return `${pathOf(kind, namespace)}/${name}`
}

/** The selectors of a target as query parameters. */
export function selectorsOf({ fieldSelector, labelSelector }: Target): Record<string, string> {
  return {
    ...(fieldSelector === '' ? {} : { fieldSelector }),
    ...(labelSelector === '' ? {} : { labelSelector }),
  }
}

/** The right that a target needs, as RBAC names it: "list and watch ingresses.networking.k8s.io …". */
export function rightFor({ kind, namespace, name }: Target): string {
  const { apiVersion, plural, clusterScope } = resources[kind]
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : ''
  const whole =
    clusterScope || namespace === '' ? 'at the cluster scope' : `in namespace ${namespace}`
  return `list and watch ${plural}${group}${name === '' ? '' : ` (name ${name})`} ${whole}`
}

/** Values of Accept for names and versions alone (PartialObjectMetadata). */
export const metadataTypes = {
  object: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  list: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
}

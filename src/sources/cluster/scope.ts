import type { Kind } from '#src/snapshot/objects.ts'
import { allOf, oneOf } from './resources.ts'
import type { Target } from './resources.ts'

interface Name {
  readonly namespace: string
  readonly name: string
}

/** Which part of a cluster is read. Plain data. */
export interface ClusterScope {
  /** Only these namespaces, with the rights of a Role in each; empty: all. */
  readonly namespaces: readonly string[]
  /** Labels of namespaces matter. */
  readonly namespaceLabels: boolean
  /** Our class by name, for when classes cannot be read. */
  readonly ingressClass: string
  /** A Service that is served wherever it lies. */
  readonly defaultBackend: Name | undefined
}

const inNamespaces: readonly Kind[] = ['Ingress', 'Service', 'EndpointSlice']

/** All lists that are mirrored as a whole. */
export function targetsOf(scope: ClusterScope): readonly Target[] {
  const { namespaces, namespaceLabels, defaultBackend } = scope
  const where = namespaces.length === 0 ? [''] : [...new Set(namespaces)]
  const targets = where.flatMap((namespace) => inNamespaces.map((kind) => allOf(kind, namespace)))
  targets.push(allOf('IngressClass', ''))
  if (namespaceLabels) targets.push(allOf('Namespace', ''))
  const apart = defaultBackend !== undefined && namespaces.length > 0
  if (apart && !namespaces.includes(defaultBackend.namespace)) {
    const { namespace, name } = defaultBackend
    const labelSelector = `kubernetes.io/service-name=${name}`
    targets.push(oneOf('Service', namespace, name))
    targets.push({ ...allOf('EndpointSlice', namespace), labelSelector })
  }
  return targets
}

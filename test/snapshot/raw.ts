// Manifests as a parser gives them, with what a test says and nothing else.
export type Raw = Record<string, unknown>

export const backend = { service: { name: 'web', port: { number: 80 } } }

export function ingress(
  spec: unknown,
  metadata: unknown = { name: 'web', namespace: 'shop' },
): Raw {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec }
}

export function ingressClass(spec: unknown): Raw {
  const metadata = { name: 'headgate', namespace: 'is-dropped' }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata, spec }
}

export function service(spec: unknown, more: Raw = {}): Raw {
  const metadata = { name: 'web', namespace: 'shop' }
  return { apiVersion: 'v1', kind: 'Service', metadata, spec, ...more }
}

export function slice(more: Raw): Raw {
  const metadata = { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } }
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, ...more }
}

export function secret(more: Raw): Raw {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...more }
}

export function configMap(data: unknown): Raw {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data }
}

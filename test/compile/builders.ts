import type {
  AnyObject,
  ConfigMap,
  EndpointSlice,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressPath,
  Metadata,
  ObjectByKind,
  Secret,
  Service,
  SliceEndpoint,
} from '#src/snapshot/objects.ts'
import { kinds } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'

// Objects as a projection makes them, with what a test says and nothing else.

export type Annotations = Readonly<Record<string, string>>

export function metadata(name: string, more: Partial<Metadata> = {}): Metadata {
  return {
    namespace: 'shop',
    name,
    uid: '',
    createdMs: 0,
    generation: 1,
    annotations: {},
    labels: {},
    ...more,
  }
}

/** `nginx({ 'ssl-redirect': 'false' })` and so on. */
export function nginx(annotations: Annotations): Annotations {
  return prefixed('nginx.ingress.kubernetes.io', annotations)
}

export function prefixed(start: string, annotations: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(annotations).map(([key, text]) => [`${start}/${key}`, text]),
  )
}

export function to(name: string, port: string | number = 80): IngressBackend {
  return { service: { name, port } }
}

export function prefix(path: string, backend: IngressBackend = to('web')): IngressPath {
  return { path, pathType: 'Prefix', backend }
}

export function exact(path: string, backend: IngressBackend = to('web')): IngressPath {
  return { path, pathType: 'Exact', backend }
}

export function specific(path: string, backend: IngressBackend = to('web')): IngressPath {
  return { path, pathType: 'ImplementationSpecific', backend }
}

export interface IngressParts extends Partial<Omit<Ingress, 'kind' | 'metadata'>> {
  readonly meta?: Partial<Metadata>
  readonly annotations?: Annotations
  /** Host → paths; undefined for a rule without `http`. */
  readonly hosts?: Readonly<Record<string, readonly IngressPath[] | undefined>>
}

/** An Ingress of our class; by default `a.example` with Prefix / to the Service web. */
export function ingress(name: string, parts: IngressParts = {}): Ingress {
  const { meta, annotations = {}, hosts = { 'a.example': [prefix('/')] }, ...rest } = parts
  return {
    kind: 'Ingress',
    metadata: metadata(name, { annotations, ...meta }),
    file: '',
    className: 'headgate',
    defaultBackend: undefined,
    tls: [],
    rules: Object.entries(hosts).map(([host, paths]) => ({ host, paths })),
    published: [],
    ...rest,
  }
}

export function service(
  name: string,
  { meta, ...parts }: Partial<Omit<Service, 'kind'>> & { readonly meta?: Partial<Metadata> } = {},
): Service {
  return {
    kind: 'Service',
    metadata: metadata(name, meta),
    file: '',
    type: 'ClusterIP',
    clusterIps: ['10.96.0.1'],
    externalIps: [],
    externalName: '',
    ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP', appProtocol: '' }],
    sessionAffinity: 'None',
    sessionAffinitySeconds: 10_800,
    trafficDistribution: '',
    loadBalancerAddresses: [],
    ...parts,
  }
}

export function endpoint(address: string, parts: Partial<SliceEndpoint> = {}): SliceEndpoint {
  return {
    address,
    ready: true,
    serving: true,
    terminating: false,
    zone: '',
    nodeName: '',
    zoneHints: [],
    nodeHints: [],
    targetUid: '',
    targetName: '',
    ...parts,
  }
}

export function slice(
  name: string,
  serviceName: string,
  endpoints: readonly (string | SliceEndpoint)[],
  {
    meta,
    ...parts
  }: Partial<Omit<EndpointSlice, 'kind'>> & { readonly meta?: Partial<Metadata> } = {},
): EndpointSlice {
  return {
    kind: 'EndpointSlice',
    metadata: metadata(name, meta),
    file: '',
    serviceName,
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP', appProtocol: '' }],
    endpoints: endpoints.map((one) => (typeof one === 'string' ? endpoint(one) : one)),
    ...parts,
  }
}

export function secret(name: string, data: Secret['data'], meta: Partial<Metadata> = {}): Secret {
  return {
    kind: 'Secret',
    metadata: metadata(name, meta),
    file: '',
    type: 'kubernetes.io/tls',
    data,
  }
}

export function configMap(data: ConfigMap['data']): ConfigMap {
  const meta = metadata('options', { namespace: 'headgate' })
  return { kind: 'ConfigMap', metadata: meta, file: '', data }
}

export function ingressClass(
  name: string,
  controller = 'headgate.dev/ingress-controller',
  meta: Partial<Metadata> = {},
): IngressClass {
  return {
    kind: 'IngressClass',
    metadata: metadata(name, { namespace: '', ...meta }),
    file: '',
    controller,
    parameters: undefined,
  }
}

/** The Service web with two endpoints, and our class. */
export const web: readonly AnyObject[] = [
  ingressClass('headgate'),
  service('web'),
  slice('web-1', 'web', ['10.0.0.1', '10.0.0.2']),
]

/** A snapshot over a list of objects; the first of a name counts. */
export function snapshotOf(
  objects: readonly AnyObject[],
  resolved: Readonly<Record<string, readonly string[]>> = {},
): Snapshot {
  const byKind = new Map<string, Map<string, AnyObject>>(kinds.map((kind) => [kind, new Map()]))
  const slices = new Map<string, EndpointSlice[]>()
  for (const object of objects) {
    const { namespace, name } = object.metadata
    const own = byKind.get(object.kind)
    if (own === undefined || own.has(`${namespace}/${name}`)) continue
    own.set(`${namespace}/${name}`, object)
    if (object.kind !== 'EndpointSlice' || object.serviceName === '') continue
    const key = `${namespace}/${object.serviceName}`
    slices.set(key, [...(slices.get(key) ?? []), object])
  }
  return {
    all: <K extends keyof ObjectByKind>(kind: K) =>
      [...(byKind.get(kind)?.values() ?? [])] as ObjectByKind[K][],
    get: <K extends keyof ObjectByKind>(kind: K, namespace: string, name: string) =>
      byKind.get(kind)?.get(`${namespace}/${name}`) as ObjectByKind[K] | undefined,
    slicesOf: (namespace, name) => slices.get(`${namespace}/${name}`) ?? [],
    resolved: (hostname) => resolved[hostname],
  }
}

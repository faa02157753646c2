import fc from 'fast-check'
import { ingressNginxPending } from '#src/annotations/ingress-nginx.ts'
import { annotationSchema, optionSchema } from '#src/compile/values/schema.ts'
import type {
  AnyObject,
  IngressBackend,
  IngressPath,
  Metadata,
  SliceEndpoint,
} from '#src/snapshot/objects.ts'
import {
  configMap,
  endpoint,
  ingress,
  ingressClass,
  metadata,
  secret,
  service,
  slice,
} from './builders.ts'

// Objects of few names and many faults, so that they meet, contradict and repeat each other.

const name = fc.constantFrom('a', 'b', 'c', 'a-b', '__proto__', 'constructor')
const namespace = fc.constantFrom('shop', 'shop-b', 'test')
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 20 }))
const host = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      '',
      'a.example',
      'b.example',
      'c.b.example',
      '*.example',
      '*.b.example',
      'A.Example',
    ),
  },
  { weight: 1, arbitrary: text },
)
const path = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      '/',
      '',
      '/x',
      '/x/',
      '/x/y',
      '/X',
      '/x%2Fy',
      '//',
      '/a b',
      '/caf\u00e9',
    ),
  },
  { weight: 1, arbitrary: text },
)

const annotationKey = fc
  .tuple(
    fc.constantFrom('nginx.ingress.kubernetes.io/', 'headgate.dev/', 'other/', ''),
    fc.oneof(
      fc.constantFrom(...Object.keys(annotationSchema), ...Object.keys(ingressNginxPending)),
      text,
    ),
  )
  .map(([prefix, key]) => prefix + key)
const examples = Object.values({ ...annotationSchema, ...optionSchema }).map(
  ({ example }) => example,
)
const value = fc.oneof(fc.constantFrom(...examples, '', 'true', 'false', '0'), text)

const meta: fc.Arbitrary<Partial<Metadata>> = fc.record(
  {
    namespace,
    createdMs: fc.nat({ max: 2 }),
    annotations: fc.dictionary(annotationKey, value, { maxKeys: 4, noNullPrototype: true }),
  },
  { noNullPrototype: true },
)

const port = fc.oneof(
  fc.constantFrom<string | number>(80, 81, 'http', 'admin', ''),
  text,
  fc.integer(),
)

const backend: fc.Arbitrary<IngressBackend> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ name, port }).map((own) => ({ service: own })) },
  { weight: 1, arbitrary: text.map((kind) => ({ resource: { apiGroup: '', kind, name: 'x' } })) },
)

const ingressPath: fc.Arbitrary<IngressPath> = fc.record(
  { path, pathType: fc.constantFrom('Exact', 'Prefix', 'ImplementationSpecific'), backend },
  { noNullPrototype: true },
)

const anIngress: fc.Arbitrary<AnyObject> = fc
  .record({
    name,
    meta,
    className: fc.constantFrom(undefined, 'headgate', 'headgate', 'headgate', 'other', 'gone'),
    hosts: fc.array(
      fc.tuple(host, fc.option(fc.array(ingressPath, { maxLength: 3 }), { nil: undefined })),
      { maxLength: 3 },
    ),
    defaultBackend: fc.option(backend, { nil: undefined }),
    tls: fc.array(
      fc.record(
        { hosts: fc.array(host, { maxLength: 2 }), secretName: fc.oneof(name, fc.constant('')) },
        { noNullPrototype: true },
      ),
      { maxLength: 2 },
    ),
  })
  .map(({ name: own, hosts, ...parts }) => {
    const rules = hosts.map(([pattern, paths]) => ({ host: pattern, paths }))
    return ingress(own, { ...parts, rules })
  })

const servicePorts = fc.array(
  fc.record(
    {
      name: fc.constantFrom('http', 'admin', ''),
      port: fc.constantFrom(80, 81),
      targetPort: fc.constantFrom<string | number>(8080, 'http', 0),
      protocol: fc.constantFrom('TCP', 'UDP', ''),
      appProtocol: fc.constant(''),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 2 },
)

const aService: fc.Arbitrary<AnyObject> = fc
  .record({
    name,
    meta,
    type: fc.constantFrom('ClusterIP', 'ExternalName'),
    externalName: fc.oneof(
      fc.constantFrom('out.example', 'gone.example', '192.0.2.1', 'localhost', ''),
      text,
    ),
    ports: servicePorts,
    sessionAffinity: fc.constantFrom('None', 'ClientIP'),
  })
  .map(({ name: own, ...parts }) => service(own, parts))

const address = fc.oneof(
  fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1', '127.0.0.1', ''),
  text,
)
const anEndpoint: fc.Arbitrary<SliceEndpoint> = fc
  .record({
    address,
    ready: fc.boolean(),
    serving: fc.boolean(),
    terminating: fc.boolean(),
    targetUid: fc.constantFrom('', 'p1', 'p2'),
    zoneHints: fc.constantFrom<string[]>([], ['z1'], ['z2']),
  })
  .map(({ address: own, ...parts }) => endpoint(own, parts))

const aSlice: fc.Arbitrary<AnyObject> = fc
  .record({
    name: fc.constantFrom('s1', 's2', 's3'),
    meta,
    serviceName: name,
    endpoints: fc.array(anEndpoint, { maxLength: 3 }),
    addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN'),
    ports: fc.array(
      fc.record(
        {
          name: fc.constantFrom('http', 'admin', ''),
          port: fc.constantFrom(8080, 9090),
          protocol: fc.constantFrom('TCP', 'UDP'),
          appProtocol: fc.constant(''),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 2 },
    ),
  })
  .map(({ name: own, serviceName, endpoints, ...parts }) =>
    slice(own, serviceName, endpoints, parts),
  )

const aSecret: fc.Arbitrary<AnyObject> = fc
  .record({
    name,
    namespace,
    names: fc.constantFrom('a.example', '*.example b.example', ''),
    until: fc.constantFrom('2027-01-01', '2026-01-01'),
    key: fc.constantFrom('good', 'wrong', ''),
  })
  .map(({ name: own, namespace: place, names, until, key }) =>
    secret(
      own,
      { 'tls.crt': `names ${names} until ${until}`, 'tls.key': key },
      { namespace: place },
    ),
  )

const others: fc.Arbitrary<AnyObject> = fc.oneof(
  fc
    .dictionary(fc.oneof(fc.constantFrom(...Object.keys(optionSchema), 'use-gzip'), text), value, {
      maxKeys: 4,
      noNullPrototype: true,
    })
    .map(configMap),
  fc
    .constantFrom('headgate', 'other')
    .map((own) => ingressClass(own, own === 'headgate' ? undefined : 'example.com/x')),
  namespace.map((own): AnyObject => ({
    kind: 'Namespace',
    metadata: metadata(own, { namespace: '' }),
    file: '',
    phase: '',
  })),
)

/** One object of any kind. */
export const anyObject: fc.Arbitrary<AnyObject> = fc.oneof(
  { weight: 5, arbitrary: anIngress },
  { weight: 3, arbitrary: aService },
  { weight: 3, arbitrary: aSlice },
  { weight: 1, arbitrary: aSecret },
  { weight: 1, arbitrary: others },
)

/** Objects with our class among them; of two with one name the first counts. */
export const anyObjects: fc.Arbitrary<AnyObject[]> = fc
  .array(anyObject, { maxLength: 15 })
  .map((objects) => firstOfEachName(objects.concat(ingressClass('headgate'))))

export function firstOfEachName(objects: readonly AnyObject[]): AnyObject[] {
  const seen = new Set<string>()
  return objects.filter(({ kind, metadata: { namespace: place, name: own } }) => {
    const key = `${kind} ${place}/${own}`
    return !seen.has(key) && seen.add(key)
  })
}

import { issued, revocations } from './certificates.ts'
import type { Group } from './comparison.ts'
import { services } from './configuration.ts'
import type { Site } from './configuration.ts'

/** u:p and v:p, as htpasswd -s writes them. */
const hash = '{SHA}UWuXg/ylF+7L0dBk2i0WUxCxl1k='
export const users = `u:${hash}\nv:${hash}\n`

type Ports = Readonly<Record<string, number>>

/** The cases of a group as objects of a cluster; JSON is YAML. */
export function manifests(group: Group, sites: readonly Site[], ports: Ports): string {
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata('options', 'headgate'),
      data: {
        'allow-snippet-annotations': 'true',
        'annotations-risk-level': 'Critical',
        'global-allowed-response-headers': 'X-Custom,X-Powered-By',
        ...addressed(group.options ?? {}, ports),
      },
    },
    ...sites.map((site) => ingress(site, ports)),
    ...Object.keys(services).flatMap((name) => service(name, ports)),
    ...configMaps,
    ...secrets,
  ]
  return objects.map((object) => JSON.stringify(object)).join('\n---\n')
}

function ingress({ host, comparison }: Site, ports: Ports): object {
  const { annotations, path = '/', pathType = 'Prefix', service: name = 'echo' } = comparison
  const port = name === 'cluster' ? { name: 'web' } : { number: 80 }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      ...metadata(host.split('.')[0] ?? ''),
      annotations: Object.fromEntries(
        Object.entries(addressed(annotations, ports)).map(([key, text]) => [
          `nginx.ingress.kubernetes.io/${key}`,
          text,
        ]),
      ),
    },
    spec: {
      ...(comparison.tls === true && { tls: [{ hosts: [host], secretName: 'server' }] }),
      rules: [
        {
          host,
          http: {
            paths: [{ path, pathType, backend: { service: { name, port } } }],
          },
        },
      ],
    },
  }
}

/** `@port:NAME` in values. */
function addressed(values: Readonly<Record<string, string>>, ports: Ports): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, text]) => [
      key,
      text.replaceAll(/@port:(\w+)/g, (_, name: string) => String(ports[name])),
    ]),
  )
}

function metadata(name: string, namespace = 'test') {
  return { namespace, name }
}

function service(name: string, ports: Ports): object[] {
  const cluster = name === 'cluster'
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata(name),
      spec: {
        // The address of the cluster leads elsewhere than the endpoints.
        ...(cluster && { clusterIP: '127.0.0.1' }),
        ports: [{ name: 'web', port: cluster ? ports['second'] : 80 }],
      },
    },
    ...(services[name] ?? []).map((endpoint) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        ...metadata(`${name}-${endpoint}`),
        labels: { 'kubernetes.io/service-name': name },
      },
      addressType: 'IPv4',
      ports: [{ name: 'web', port: ports[cluster ? 'echo' : endpoint] }],
      endpoints: [{ addresses: ['127.0.0.1'] }],
    })),
  ]
}

const configMaps = Object.entries({
  fields: { 'X-Custom': 'one two' },
  dollars: { 'X-Custom': '$remote_addr', 'X-Powered-By': 'us' },
  asking: { 'X-Tenant': 'wonder', 'X-Host': '$host' },
  upstream: { 'X-Sent': 'global', 'X-Scheme-Of': '$scheme' },
  answers: { 'X-Added': 'to all' },
  replacing: {
    'User-Agent': 'proxy',
    Cookie: '',
    Origin: '',
    'Content-Type': 'x/y',
    'Accept-Encoding': '',
    'X-New': 'new',
    'X-Lost': '',
  },
}).map(([name, data]) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(name),
  data,
}))

const { authority, server, alice, stranger } = issued
const secrets = Object.entries({
  users: { auth: users },
  map: { u: hash, v: hash },
  server: { 'tls.crt': server.certificatePem, 'tls.key': server.keyPem },
  authority: { 'ca.crt': authority.certificatePem },
  revoking: { 'ca.crt': authority.certificatePem, 'ca.crl': revocations },
  client: {
    'tls.crt': alice.certificatePem,
    'tls.key': alice.keyPem,
    'ca.crt': authority.certificatePem,
  },
  foreign: { 'ca.crt': stranger.certificatePem },
}).map(([name, data]) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: metadata(name),
  data: Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  ),
}))

/** Files that nginx's configuration refers to, by name. */
export const files: Readonly<Record<string, string>> = {
  users,
  'server.pem': server.certificatePem,
  'server.key': server.keyPem,
  'authority.pem': authority.certificatePem,
  'revoked.pem': revocations,
  'client.pem': alice.certificatePem,
  'client.key': alice.keyPem,
  'foreign.pem': stranger.certificatePem,
}

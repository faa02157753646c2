import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stringify } from 'yaml'
import { policyLogFormat } from './nginx.ts'
import {
  addedFields,
  burstMultiplier,
  customFields,
  hiddenField,
  origin,
  requestFields,
  requestsPerSecond,
} from './policies.ts'
import { freePorts, lastWords, start, waitForPort } from './processes.ts'
import type { Program } from './processes.ts'
import type { ProxyBuild, RunningProxy, Setup, Site } from './site.ts'
import { grpcMethods } from './workloads.ts'

const namespace = 'bench'
const metadata = (name: string, more: object = {}): object => ({ name, namespace, ...more })

/** A Headgate that runs, with what the other benchmarks need of it. */
export interface RunningHeadgate extends RunningProxy {
  readonly adminPort: number
  /** The folder that it watches. */
  readonly manifests: string
}

/** Starts Headgate from this checkout with one worker, on a folder of manifests. */
export async function startHeadgate(
  build: ProxyBuild,
  site: Site,
  { logged, policies }: Setup,
): Promise<RunningHeadgate> {
  const [httpPort = 0, httpsPort = 0, adminPort = 0] = await freePorts(3)
  const name = `headgate-${httpPort}`
  const manifests = join(site.folder, name)
  mkdirSync(manifests, { recursive: true })
  putManifests(manifests, 'options', optionManifests(logged, policies))
  putManifests(manifests, 'secret', [secretManifest(site)])
  putManifests(manifests, 'backend', backendManifests([site.backendPort]))
  putManifests(manifests, 'main', [
    ingressManifest('main', site.host, policies ? policyAnnotations : {}),
  ])
  putManifests(manifests, 'grpc', [
    ...grpcMethods.flatMap(({ name: own, port }) => backendManifests([site[port]], own)),
    grpcManifest(site),
  ])
  const program = start({
    name,
    file: build.path,
    args: [
      [join(import.meta.dirname, '../../src/main.ts'), 'serve'],
      ['--files', manifests, '--configmap', `${namespace}/options`],
      ['--bind-address', '127.0.0.1', '--workers', '1', '--drain-timeout', '1s'],
      ['--http-port', String(httpPort), '--https-port', String(httpsPort)],
      ['--admin-port', String(adminPort)],
    ].flat(),
    cores: site.proxyCores,
    folder: site.folder,
  })
  await waitForPort(adminPort, program)
  await waitUntilReady(adminPort, program)
  const logFiles = logged ? [program.outputFile] : []
  const { pid, stop } = program
  return { build, pid, httpPort, httpsPort, adminPort, manifests, logFiles, stop }
}

async function waitUntilReady(adminPort: number, program: Program): Promise<void> {
  for (let tries = 0; tries < 300 && !program.ended(); tries++) {
    if (await isReady(adminPort)) return
    await delay(50)
  }
  throw new Error(`headgate is not ready: ${lastWords(program)}`)
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}

/** Replaces a file of a watched folder in one step. */
export function putManifests(folder: string, name: string, objects: readonly object[]): void {
  const draft = `${folder}-${name}.draft`
  writeFileSync(draft, objects.map((object) => stringify(object)).join('---\n'))
  renameSync(draft, join(folder, `${name}.yaml`))
}

/** The options, and the ConfigMaps that they and the Ingress refer to. */
function optionManifests(logged: boolean, policies: boolean): object[] {
  const options = optionsManifest(logged, policies ? policyOptions : {})
  if (!policies) return [options]
  const lists = { custom: customFields, added: addedFields, sent: requestFields }
  return [
    options,
    ...Object.entries(lists).map(([name, data]) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(name),
      data,
    })),
  ]
}

const policyOptions = {
  'log-format-upstream': policyLogFormat,
  'log-format-escape-json': 'true',
  'global-allowed-response-headers': Object.keys(customFields).join(','),
  'add-headers': `${namespace}/added`,
  'proxy-set-headers': `${namespace}/sent`,
  'hide-headers': hiddenField.name,
}

const policyAnnotations = {
  'nginx.ingress.kubernetes.io/limit-rps': String(requestsPerSecond),
  'nginx.ingress.kubernetes.io/limit-burst-multiplier': String(burstMultiplier),
  'nginx.ingress.kubernetes.io/enable-cors': 'true',
  'nginx.ingress.kubernetes.io/cors-allow-origin': origin,
  'nginx.ingress.kubernetes.io/custom-headers': 'custom',
}

function optionsManifest(logged: boolean, more: object): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata('options'),
    // The peers add no field to answers either.
    data: {
      'disable-access-log': String(!logged),
      hsts: 'false',
      'keep-alive-requests': '100000000',
      'upstream-keepalive-requests': '100000000',
      ...more,
    },
  }
}

/** The Secret that `ingressManifest` names. */
export function secretManifest(files: Pick<Site, 'certificateFile' | 'keyFile'>): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata('site-tls'),
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': readFileSync(files.certificateFile).toString('base64'),
      'tls.key': readFileSync(files.keyFile).toString('base64'),
    },
  }
}

/** The Service that `ingressManifest` names, with one endpoint for each port on loopback. */
export function backendManifests(ports: readonly number[], name = 'app'): object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata(name),
      spec: { ports: [{ name: 'http', port: 80 }] },
    },
    ...ports.map((port, i) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: metadata(`${name}-${i}`, { labels: { 'kubernetes.io/service-name': name } }),
      addressType: 'IPv4',
      ports: [{ name: 'http', port }],
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    })),
  ]
}

/** The gRPC methods of the same host, over h2c. */
function grpcManifest({ host }: Site): object {
  const paths = grpcMethods.map(({ name, path }) => ({
    path,
    pathType: 'Exact',
    backend: { service: { name, port: { name: 'http' } } },
  }))
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata('grpc', {
      annotations: {
        'nginx.ingress.kubernetes.io/ssl-redirect': 'false',
        'nginx.ingress.kubernetes.io/backend-protocol': 'GRPC',
      },
    }),
    spec: {
      rules: [{ host, http: { paths } }],
    },
  }
}

/** An Ingress for one host over HTTP and HTTPS, without redirect, and with further annotations. */
export function ingressManifest(
  name: string,
  host: string,
  annotations: Readonly<Record<string, string>>,
): object {
  const backend = { service: { name: 'app', port: { name: 'http' } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata(name, {
      annotations: { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false', ...annotations },
    }),
    spec: {
      tls: [{ hosts: [host], secretName: 'site-tls' }],
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  }
}

import { parseLabelSelector } from '#src/compile/label-selector.ts'
import type { LabelRequirement } from '#src/compile/label-selector.ts'
import { logFormats, logLevels } from '#src/observe/log.ts'
import { compareFlags } from './compare-flags.ts'
import {
  address,
  addressOrName,
  bool,
  duration,
  headers,
  integer,
  listOf,
  namespace,
} from './flag-types.ts'
import { namespacedName, oneOf, port, text } from './flag-types.ts'
import type { FlagType } from './flag-types.ts'

/** Groups of flags that commands take. */
export type FlagGroup =
  | 'compile'
  | 'files'
  | 'cluster'
  | 'pod'
  | 'serve'
  | 'instance'
  | 'strict'
  | 'request'
  | 'header'
  | 'output'
  | 'compare'

interface Flag<Value> {
  readonly type: FlagType<Value>
  /** Text of the default as the help shows it, '' for none. */
  readonly default: string
  readonly help: string
  readonly group: FlagGroup
  /**
   * The feature behind it does not exist yet: giving it is an error, and never without effect. What
   * to use in its place.
   */
  readonly unbuilt?: string
}

const selector: FlagType<readonly LabelRequirement[]> = {
  placeholder: 'SELECTOR',
  expects: 'a label selector',
  parse: parseLabelSelector,
}

/**
 * Every flag: parsing, environment variables, `--help` and the reference in the README derive from
 * this table. The variable of `--http-port` is HEADGATE_HTTP_PORT.
 */
export const flags = {
  files: {
    type: text('DIR'),
    default: '',
    help: 'Read manifests from this folder and its sub-folders, and watch it; no cluster is needed.',
    group: 'files',
  },
  kubeconfig: {
    type: text('FILE'),
    default: '',
    help: 'The cluster to serve; without it and without --files, the one around this Pod, or KUBECONFIG.',
    group: 'cluster',
  },
  context: {
    type: text('NAME'),
    default: '',
    help: 'Context in the kubeconfig; default: its current one.',
    group: 'cluster',
  },
  'in-cluster': {
    type: bool,
    default: 'false, true for kubectl headgate',
    help: 'Ask the instance that runs in the cluster, through the API server.',
    group: 'pod',
  },
  namespace: {
    type: namespace,
    default: 'headgate',
    help: 'Namespace of the instance in the cluster.',
    group: 'pod',
  },
  pod: {
    type: text('NAME'),
    default: 'the first that is ready',
    help: 'Pod of the instance in the cluster.',
    group: 'pod',
  },
  'http-port': {
    type: port,
    default: '80',
    help: 'Port for plain HTTP; 0 switches it off.',
    group: 'serve',
  },
  'https-port': {
    type: port,
    default: '443',
    help: 'Port for HTTPS; 0 switches it off.',
    group: 'serve',
  },
  'admin-port': {
    type: port,
    default: '9180',
    help: 'Port for health, metrics, API and dashboard; 0 switches it off.',
    group: 'instance',
  },
  'bind-address': {
    type: listOf(address),
    default: '::',
    help: 'Address to serve on (:: is dual stack); may be given more than once.',
    group: 'serve',
  },
  'admin-bind-address': {
    type: address,
    default: '127.0.0.1',
    help: 'Address of the admin port; in a Pod every address by default.',
    group: 'instance',
  },
  'admin-token-file': {
    type: text('FILE'),
    default: '',
    help: 'File with the token that opens the API to clients of other machines (X-Headgate-Token).',
    group: 'instance',
  },
  'session-key-file': {
    type: text('FILE'),
    default: '',
    help: 'File with the secret by which session cookies are made, the same for all replicas.',
    group: 'serve',
  },
  workers: {
    type: integer(1, 256),
    default: 'available cores',
    help: 'Threads of the data plane.',
    group: 'serve',
  },
  'ingress-class': {
    type: text('NAME'),
    default: 'headgate',
    help: 'Value of the annotation kubernetes.io/ingress.class that makes an Ingress ours.',
    group: 'compile',
  },
  'controller-class': {
    type: text('NAME'),
    default: 'headgate.dev/ingress-controller',
    help: 'spec.controller of the IngressClasses that are ours.',
    group: 'compile',
  },
  'ingress-class-by-name': {
    type: bool,
    default: 'false',
    help: 'The IngressClass that is called as --ingress-class says is ours, whatever its controller.',
    group: 'compile',
  },
  'watch-ingress-without-class': {
    type: bool,
    default: 'false, true with --files',
    help: 'Serve Ingresses that name no class.',
    group: 'compile',
  },
  'annotations-prefix': {
    type: text('PREFIX'),
    default: 'nginx.ingress.kubernetes.io',
    help: 'Prefix of the compatible annotations; headgate.dev/* is always read and wins.',
    group: 'compile',
  },
  'watch-namespace': {
    type: listOf(namespace),
    default: '',
    help: 'Serve Ingresses of this namespace only; may be given more than once.',
    group: 'compile',
  },
  'watch-namespace-selector': {
    type: selector,
    default: '',
    help: 'Serve Ingresses of namespaces with these labels only.',
    group: 'compile',
  },
  configmap: {
    type: namespacedName,
    default: '',
    help: 'ConfigMap with global options, under the keys of ingress-nginx.',
    group: 'compile',
  },
  'default-backend-service': {
    type: namespacedName,
    default: '',
    help: 'Service for requests that no rule matches; without it they are answered 404.',
    group: 'compile',
  },
  'default-ssl-certificate': {
    type: namespacedName,
    default: '',
    help: 'Secret with the certificate for hosts without one; without it a self-signed one is made.',
    group: 'compile',
  },
  'publish-service': {
    type: namespacedName,
    default: '',
    help: 'Service whose addresses go into status.loadBalancer of the Ingresses; not with --publish-status-address.',
    group: 'serve',
  },
  'publish-status-address': {
    type: listOf(addressOrName),
    default: '',
    help: 'IP or host name that goes into status.loadBalancer of the Ingresses; may be given more than once.',
    group: 'serve',
  },
  'update-status': {
    type: bool,
    default: 'true',
    help: 'Write status.loadBalancer of the Ingresses.',
    group: 'serve',
  },
  'tcp-services-configmap': {
    type: namespacedName,
    default: '',
    help: 'ConfigMap with TCP ports to serve.',
    group: 'compile',
  },
  'udp-services-configmap': {
    type: namespacedName,
    default: '',
    help: 'ConfigMap with UDP ports to serve.',
    group: 'serve',
    unbuilt:
      'publish UDP ports by a Service of type LoadBalancer or NodePort that selects the Pods themselves',
  },
  'enable-ssl-passthrough': {
    type: bool,
    default: 'false',
    help: 'Serve the annotation ssl-passthrough.',
    group: 'compile',
  },
  'election-id': {
    type: text('NAME'),
    default: 'headgate-leader',
    help: 'Lease by which the replicas elect a leader.',
    group: 'serve',
  },
  'election-namespace': {
    type: namespace,
    default: '',
    help: 'Namespace of the Lease; by default that of the Pod, or of the context.',
    group: 'serve',
  },
  'webhook-port': {
    type: port,
    default: '0',
    help: 'Port of the admission webhook (HTTPS); 0 switches it off.',
    group: 'serve',
  },
  'webhook-certificate-file': {
    type: text('FILE'),
    default: '',
    help: 'Certificate of the webhook, PEM, read again as it changes; without it one is made and kept in a Secret.',
    group: 'serve',
  },
  'webhook-key-file': {
    type: text('FILE'),
    default: '',
    help: 'Key of that certificate, PEM.',
    group: 'serve',
  },
  'webhook-configuration': {
    type: text('NAME'),
    default: '',
    help: 'ValidatingWebhookConfiguration that is told the authority of a certificate made here.',
    group: 'serve',
  },
  'webhook-secret': {
    type: text('NAME'),
    default: 'headgate-webhook',
    help: 'Secret in which a certificate made here is kept, in the namespace of the Lease.',
    group: 'serve',
  },
  'shutdown-grace-period': {
    type: duration,
    default: '0s',
    help: 'On SIGTERM: how long to go on accepting after readiness has failed.',
    group: 'serve',
  },
  'drain-timeout': {
    type: duration,
    default: '300s',
    help: 'On SIGTERM: how long requests in flight may take. Wins over worker-shutdown-timeout.',
    group: 'serve',
  },
  'state-dir': {
    type: text('DIR'),
    default: '',
    help: 'Folder in which the last good state is kept; served when its source is away at a start.',
    group: 'serve',
  },
  'state-key-file': {
    type: text('FILE'),
    default: '',
    help: 'File with the key that seals Secrets in the state folder; without it they are not kept.',
    group: 'serve',
  },
  'log-format': {
    type: oneOf(logFormats),
    default: 'json',
    help: 'Form of the process log, and of the access log where log-format-upstream says nothing.',
    group: 'serve',
  },
  'log-level': {
    type: oneOf(logLevels),
    default: 'info',
    help: 'Lowest level of the process log.',
    group: 'serve',
  },
  'node-name': {
    type: text('NAME'),
    default: '',
    help: 'Node on which this process runs, for topology hints.',
    group: 'compile',
  },
  zone: {
    type: text('NAME'),
    default: '',
    help: 'Zone in which this process runs, for topology hints.',
    group: 'compile',
  },
  'worker-heartbeat-timeout': {
    type: duration,
    default: '5s',
    help: 'A worker whose event loop stands still so long is replaced.',
    group: 'serve',
  },
  'endpoint-slots': {
    type: integer(2, 4_194_304),
    default: '131072',
    help: 'Endpoints that have shared state of their own; memory is used as they come.',
    group: 'serve',
  },
  'rule-slots': {
    type: integer(2, 1_048_576),
    default: '65536',
    help: 'Routes that have metrics of their own; memory is used as they come.',
    group: 'serve',
  },
  'control-plane-heap-mb': {
    type: integer(64, 65_536),
    default: '1024',
    help: 'Heap of the control plane; past it, it is restarted and traffic goes on.',
    group: 'serve',
  },
  method: {
    type: text('METHOD'),
    default: 'GET',
    help: 'Method of the request.',
    group: 'request',
  },
  header: {
    type: headers,
    default: '',
    help: 'Header of the request, as name:value; may be given more than once.',
    group: 'header',
  },
  strict: {
    type: bool,
    default: 'false',
    help: 'Fail on warnings, too.',
    group: 'strict',
  },
  output: {
    type: oneOf(['text', 'json']),
    default: 'text',
    help: 'Form of the report.',
    group: 'output',
  },
  ...compareFlags,
} as const satisfies Record<string, Flag<unknown>>

export type FlagName = keyof typeof flags

/** The value of every flag that was given. */
export type FlagValues = {
  readonly [Name in FlagName]?: (typeof flags)[Name]['type'] extends FlagType<infer Value>
    ? Value
    : never
}

/** Environment variable of a flag. */
export function variableOf(name: string): string {
  return `HEADGATE_${name.toUpperCase().replaceAll('-', '_')}`
}

import { sessionsOf } from '#algorithms/balance/index.ts'
import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import { quote } from '#src/annotations/schema.ts'
import type { ReportField } from '#src/annotations/schema.ts'
import type { ConfigMap, Service } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Balance, Listener, StreamRoute } from '#src/table/table.ts'
import { compareText } from './order.ts'
import { originOf, reportOn, reportOnMissing } from './findings.ts'
import type { Options } from './options.ts'
import { useOf } from './backend-use.ts'
import type { ServiceValues } from './backend-use.ts'
import { targetOf } from './services/backends.ts'
import type { Target } from './services/backends.ts'
import { resolvePort } from './services/ports.ts'
import type { CompileSettings } from './settings.ts'

/** What TCP ports are made from. */
export interface StreamContext {
  readonly snapshot: Snapshot
  readonly settings: CompileSettings
  readonly options: Options
  readonly diagnostics: Diagnostics
  serviceValues(service: Service): ServiceValues
}

/** A TCP port that is served, and the Service port behind it. */
export interface CompiledStream {
  readonly listener: Listener
  readonly target: Target
}

/** Ports that one process can be asked to open. */
const portsMax = 1024

/** The TCP ports that the ConfigMap of --tcp-services-configmap asks for, in the order of their numbers. */
export function compileTcpServices(context: StreamContext): CompiledStream[] {
  const { snapshot, settings, diagnostics } = context
  const name = settings.tcpServices
  if (name === undefined) return []
  const configMap = snapshot.get('ConfigMap', name.namespace, name.name)
  if (configMap === undefined) {
    const report = reportOnMissing('ConfigMap', name, diagnostics)
    report(
      'stream-configmap-missing',
      '',
      'does not exist, though --tcp-services-configmap names it',
    )
    return []
  }
  const report = reportOn(configMap, diagnostics)
  const entries = Object.entries(configMap.data).toSorted(
    ([a], [b]) => (portOf(a) ?? 0) - (portOf(b) ?? 0) || compareText(a, b),
  )
  for (const [port] of entries.slice(portsMax)) {
    report('stream-invalid', port, `is beyond the ${portsMax} ports that can be served`)
  }
  return entries
    .slice(0, portsMax)
    .flatMap(([port, text]) => compileStream(port, text, configMap, { ...context, report }) ?? [])
}

function compileStream(
  portText: string,
  text: string,
  configMap: ConfigMap,
  context: StreamContext & { readonly report: ReportField },
): CompiledStream | undefined {
  const { report, options, snapshot, settings } = context
  const port = portOf(portText)
  const owner = port === undefined ? undefined : ownerOf(port, settings)
  if (port === undefined || owner !== undefined) {
    const problem =
      owner === undefined
        ? `must be a port from 1 to 65535, got ${quote(portText)}`
        : `port ${port} is that of --${owner}`
    report('stream-invalid', portText, problem)
    return undefined
  }
  const reference = readReference(text)
  if (reference === undefined) {
    const expected =
      'must be namespace/service:port, with :PROXY behind it to decode and again to send'
    report('stream-invalid', portText, `${expected} PROXY headers, got ${quote(text)}`)
    return undefined
  }
  const { namespace, name } = reference
  const service = snapshot.get('Service', namespace, name)
  const resolved = service && resolvePort(service, reference.port)
  if (service === undefined || resolved === undefined) {
    const problem =
      service === undefined ? 'does not exist' : `has no TCP port ${JSON.stringify(reference.port)}`
    report('stream-invalid', portText, `Service ${namespace}/${name} ${problem}`)
    return undefined
  }
  const target = targetOf(service, resolved)
  const use = useOf(target, { options, serviceValues: context.serviceValues(service) }, {})
  const listener: Listener = {
    key: tupleKey('listener', 'tcp', port),
    protocol: 'tcp',
    addresses: [],
    port,
    hostGroup: '',
    proxyProtocol: reference.decode,
    defaultCertificate: undefined,
    stream: {
      ...streamTimes(options),
      origin: originOf(configMap),
      backend: target.key,
      service: service.metadata.name,
      balance: streamBalance(use.balance),
      sendProxyHeader: reference.encode,
    },
  }
  return { listener, target }
}

function portOf(text: string): number | undefined {
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0
  return port > 0 && port < 65_536 ? port : undefined
}

/** The flag whose port it is. */
function ownerOf(port: number, settings: CompileSettings): string | undefined {
  const { httpPort, httpsPort, adminPort, webhookPort } = settings
  const owners = {
    'http-port': httpPort,
    'https-port': httpsPort,
    'admin-port': adminPort,
    'webhook-port': webhookPort,
  }
  return Object.entries(owners).find(([, owned]) => owned === port)?.[0]
}

interface StreamReference {
  readonly namespace: string
  readonly name: string
  readonly port: string | number
  readonly decode: boolean
  readonly encode: boolean
}

/** `namespace/service:port[:PROXY][:PROXY]`, as ingress-nginx has it: decode first, then encode. */
function readReference(text: string): StreamReference | undefined {
  const match =
    /^([-a-z0-9]{1,63})\/([-a-z0-9.]{1,253}):([-A-Za-z0-9]{1,63})(?::(PROXY)?(?::(PROXY)?)?)?$/i.exec(
      text.trim(),
    )
  const [, namespace = '', name = '', port = '', decode, encode] = match ?? []
  if (match === null) return undefined
  return {
    namespace,
    name,
    port: /^\d+$/.test(port) ? Number(port) : port,
    decode: decode !== undefined,
    encode: encode !== undefined,
  }
}

/** How long what may take below HTTP. */
export function streamTimes({
  values,
  routeSettings,
}: Options): Pick<
  StreamRoute,
  'connectTimeoutMs' | 'idleTimeoutMs' | 'triesMax' | 'retryTimeoutMs'
> {
  return {
    connectTimeoutMs: routeSettings.connectTimeoutMs,
    idleTimeoutMs: values['proxy-stream-timeout'],
    triesMax: values['proxy-stream-next-upstream'] ? values['proxy-stream-next-upstream-tries'] : 1,
    retryTimeoutMs: values['proxy-stream-next-upstream-timeout'],
  }
}

/** Below HTTP there are no cookies and no probes: sessions are spread as requests are. */
export function streamBalance({ probePath: _probePath, ...balance }: Balance): Balance {
  if (sessionsOf(balance.algorithm) === undefined) return balance
  return { algorithm: 'round-robin', options: {}, hashKey: [] }
}

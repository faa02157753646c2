import { isDnsLabel, isPortName } from './names.ts'
import type { EndpointPort, Service, ServicePort, SliceEndpoint } from './objects.ts'
import type { Specific } from './project.ts'
import type { Reader } from './reader.ts'

const portMax = 65_535
const protocols = ['TCP', 'UDP', 'SCTP'] as const
/** Kubernetes' default of sessionAffinityConfig.clientIP.timeoutSeconds, and its bound. */
const affinitySeconds = 10_800
const affinitySecondsMax = 86_400
/** The API server's bound for the addresses of one endpoint. */
const addressesMax = 100

/** All fields of ServiceSpec, so that a misspelt one is found. */
const serviceFields = (
  'type selector ports clusterIP clusterIPs externalName externalIPs sessionAffinity ' +
  'sessionAffinityConfig trafficDistribution ipFamilies ipFamilyPolicy internalTrafficPolicy ' +
  'externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses loadBalancerIP ' +
  'loadBalancerSourceRanges loadBalancerClass allocateLoadBalancerNodePorts'
).split(' ')
const endpointFields =
  'addresses conditions hostname targetRef deprecatedTopology nodeName zone hints'.split(' ')

export function projectService(raw: Reader): Specific<'Service'> {
  raw.object('apiVersion', 'kind', 'metadata', 'spec', 'status')
  const spec = raw.at('spec').object(...serviceFields)
  const type = spec
    .at('type')
    .oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'], 'ClusterIP')
  const ports = spec.at('ports')
  return {
    type,
    clusterIps: readClusterIps(spec),
    externalIps: spec.at('externalIPs').texts(),
    externalName: readExternalName(spec.at('externalName'), type),
    ports: readNamed(ports, readServicePort),
    sessionAffinity: spec.at('sessionAffinity').oneOf(['None', 'ClientIP'], 'None'),
    sessionAffinitySeconds: spec
      .at('sessionAffinityConfig')
      .object('clientIP')
      .at('clientIP')
      .object('timeoutSeconds')
      .at('timeoutSeconds')
      .integer(affinitySeconds, 1, affinitySecondsMax),
    trafficDistribution: spec.at('trafficDistribution').text(),
    loadBalancerAddresses: readLoadBalancer(raw.at('status').at('loadBalancer')),
  }
}

/** What the API server fills in as clusterIPs is often written as clusterIP alone. */
function readClusterIps(spec: Reader): string[] {
  const single = spec.at('clusterIP').text()
  const several = spec.at('clusterIPs').texts()
  return several.length === 0 && single !== '' ? [single] : several
}

function readExternalName(raw: Reader, type: Service['type']): string {
  const name = raw.text()
  if (type === 'ExternalName' && name === '') raw.fault('is required')
  return name
}

/** Ports have names of their own, and one without a name is alone. */
function readNamed<Port extends { readonly name: string }>(
  raw: Reader,
  read: (item: Reader) => Port,
): Port[] {
  const items = raw.items()
  const names = new Set<string>()
  return items.map((item) => {
    const port = read(item)
    const name = item.at('name')
    if (names.has(port.name)) name.fault(`repeats the name ${JSON.stringify(port.name)}`)
    names.add(port.name)
    if (port.name !== '' && !isDnsLabel(port.name)) name.expected('the name of a port')
    return port
  })
}

function readServicePort(raw: Reader): ServicePort {
  raw.object('name', 'port', 'targetPort', 'protocol', 'appProtocol', 'nodePort')
  const port = raw.required('port').integer(0, 1, portMax)
  return {
    name: raw.at('name').text(),
    port,
    targetPort: readTargetPort(raw.at('targetPort'), port),
    protocol: raw.at('protocol').oneOf(protocols, 'TCP'),
    appProtocol: raw.at('appProtocol').text(),
  }
}

/** 0 and '' stand for the port itself. */
function readTargetPort(raw: Reader, port: number): string | number {
  const target = raw.textOrInteger(port, 0, portMax)
  if (target === '' || target === 0) return port
  if (typeof target === 'string' && !isPortName(target)) raw.expected('the name of a port')
  return target
}

/** IPs and host names of a status.loadBalancer. */
export function readLoadBalancer(raw: Reader): string[] {
  return raw
    .at('ingress')
    .items()
    .map((entry) => entry.at('ip').text() || entry.at('hostname').text())
    .filter((address) => address !== '')
}

export function projectEndpointSlice(raw: Reader): Specific<'EndpointSlice'> {
  raw.object('apiVersion', 'kind', 'metadata', 'addressType', 'endpoints', 'ports')
  const labels = raw.at('metadata').at('labels')
  return {
    serviceName: labels.at('kubernetes.io/service-name').text(),
    addressType: raw.required('addressType').oneOf(['IPv4', 'IPv6', 'FQDN'], 'IPv4'),
    // A port without a number means every port, which is not for Services.
    ports: readNamed(raw.at('ports'), readEndpointPort).filter(({ port }) => port > 0),
    endpoints: raw.at('endpoints').items().map(readEndpoint),
  }
}

function readEndpointPort(raw: Reader): EndpointPort {
  raw.object('name', 'port', 'protocol', 'appProtocol')
  return {
    name: raw.at('name').text(),
    port: raw.at('port').integer(0, 1, portMax),
    protocol: raw.at('protocol').oneOf(protocols, 'TCP'),
    appProtocol: raw.at('appProtocol').text(),
  }
}

function readEndpoint(raw: Reader): SliceEndpoint {
  raw.object(...endpointFields)
  const conditions = raw.at('conditions').object('ready', 'serving', 'terminating')
  const hints = raw.at('hints').object('forZones', 'forNodes')
  const target = raw.at('targetRef')
  return {
    address: readAddress(raw.at('addresses')),
    // Absent means true for the first two (discovery/v1).
    ready: conditions.at('ready').bool(true),
    serving: conditions.at('serving').bool(true),
    terminating: conditions.at('terminating').bool(false),
    zone: raw.at('zone').text(),
    nodeName: raw.at('nodeName').text(),
    zoneHints: readHints(hints.at('forZones')),
    nodeHints: readHints(hints.at('forNodes')),
    targetUid: target.at('uid').text(),
    targetName: target.at('name').text(),
  }
}

/** The first counts; the others have no meaning (discovery/v1). */
function readAddress(raw: Reader): string {
  const [address = '', ...others] = raw.texts()
  if (address === '') raw.fault('must name an address')
  if (others.length >= addressesMax) raw.fault(`must not hold more than ${addressesMax} addresses`)
  return address
}

const noHints: readonly string[] = []

/** Most have none, and there are many endpoints. */
function readHints(raw: Reader): readonly string[] {
  if (!raw.present) return noHints
  return raw.items().map((hint) => hint.object('name').at('name').text())
}

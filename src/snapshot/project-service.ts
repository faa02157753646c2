import type { EndpointPort, ServicePort, SliceEndpoint } from './objects.ts'
import type { Specific } from './project.ts'
import type { Reader } from './reader.ts'

const portMax = 65_535
const protocols = ['TCP', 'UDP', 'SCTP'] as const
/** Kubernetes' default of sessionAffinityConfig.clientIP.timeoutSeconds, and its bound. */
const affinitySeconds = 10_800
const affinitySecondsMax = 86_400

export function projectService(raw: Reader): Specific<'Service'> {
  const spec = raw.at('spec').expectObject()
  const single = spec.at('clusterIP').text()
  const several = spec.at('clusterIPs').texts()
  const affinity = spec.at('sessionAffinity').oneOf(['None', 'ClientIP'], 'None')
  const clientIp = spec.at('sessionAffinityConfig').at('clientIP')
  return {
    type: spec
      .at('type')
      .oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'], 'ClusterIP'),
    clusterIps: several.length === 0 && single !== '' ? [single] : several,
    externalName: spec.at('externalName').text(),
    ports: spec.at('ports').items().map(readServicePort),
    sessionAffinity: affinity,
    sessionAffinitySeconds: clientIp
      .at('timeoutSeconds')
      .integer(affinitySeconds, 1, affinitySecondsMax),
    trafficDistribution: spec.at('trafficDistribution').text(),
    loadBalancerAddresses: readLoadBalancer(raw.at('status').at('loadBalancer')),
  }
}

function readServicePort(raw: Reader): ServicePort {
  const number = raw.expectObject().at('port')
  if (!number.present) number.fault('is required')
  const port = number.integer(0, 1, portMax)
  return {
    name: raw.at('name').text(),
    port,
    targetPort: raw.at('targetPort').textOrInteger(port, 1, portMax),
    protocol: raw.at('protocol').oneOf(protocols, 'TCP'),
    appProtocol: raw.at('appProtocol').text(),
  }
}

function readLoadBalancer(raw: Reader): string[] {
  return raw
    .at('ingress')
    .items()
    .map((entry) => entry.at('ip').text(entry.at('hostname').text()))
    .filter((address) => address !== '')
}

export function projectEndpointSlice(raw: Reader): Specific<'EndpointSlice'> {
  const labels = raw.at('metadata').at('labels')
  const type = raw.at('addressType')
  if (!type.present) type.fault('is required')
  return {
    serviceName: labels.at('kubernetes.io/service-name').text(),
    addressType: type.oneOf(['IPv4', 'IPv6', 'FQDN'], 'IPv4'),
    ports: raw.at('ports').items().map(readEndpointPort),
    endpoints: raw.at('endpoints').items().map(readEndpoint),
  }
}

/** A port without a number means all ports, which is not for Services: 0 here. */
function readEndpointPort(raw: Reader): EndpointPort {
  return {
    name: raw.expectObject().at('name').text(),
    port: raw.at('port').integer(0, 0, portMax),
    protocol: raw.at('protocol').oneOf(protocols, 'TCP'),
    appProtocol: raw.at('appProtocol').text(),
  }
}

function readEndpoint(raw: Reader): SliceEndpoint {
  const conditions = raw.expectObject().at('conditions').expectObject()
  const addresses = raw.at('addresses')
  const [address = ''] = addresses.texts()
  if (address === '') addresses.fault('must name an address')
  const hints = raw.at('hints')
  const target = raw.at('targetRef')
  return {
    address,
    // Absent means true for these two (discovery/v1).
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

function readHints(raw: Reader): string[] {
  return raw.items().map((hint) => hint.at('name').text())
}

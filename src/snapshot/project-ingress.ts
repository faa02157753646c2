import { isDnsLabel, isPortName } from './names.ts'
import type { IngressBackend, IngressPath, IngressRule, IngressTls } from './objects.ts'
import { readLoadBalancer } from './project-service.ts'
import type { Specific } from './project.ts'
import type { Reader } from './reader.ts'

const portMax = 65_535
const nowhere: IngressBackend = { service: { name: '', port: 0 } }

/**
 * Shape, types and names. What hosts and paths mean, and whether they can be served, the compiler
 * decides rule by rule, so that one bad host does not take its neighbours along.
 */
export function projectIngress(raw: Reader): Specific<'Ingress'> {
  raw.object('apiVersion', 'kind', 'metadata', 'spec', 'status')
  const spec = raw.at('spec').object('ingressClassName', 'defaultBackend', 'tls', 'rules')
  const className = spec.at('ingressClassName')
  const backend = spec.at('defaultBackend')
  return {
    className: className.present ? className.text() : undefined,
    defaultBackend: backend.present ? readBackend(backend) : undefined,
    tls: spec.at('tls').items().map(readTls),
    rules: spec.at('rules').items().map(readRule),
    published: readLoadBalancer(raw.at('status').at('loadBalancer')),
  }
}

export function projectIngressClass(raw: Reader): Specific<'IngressClass'> {
  raw.object('apiVersion', 'kind', 'metadata', 'spec')
  const spec = raw.at('spec').object('controller', 'parameters')
  const parameters = spec.at('parameters').object('apiGroup', 'kind', 'name', 'scope', 'namespace')
  return {
    controller: spec.required('controller').text(),
    parameters: parameters.present
      ? {
          kind: parameters.required('kind').text(),
          name: parameters.required('name').text(),
          namespace: readScope(parameters),
        }
      : undefined,
  }
}

/** Namespace of the parameters, which goes with scope Namespace and only with it. */
function readScope(parameters: Reader): string {
  const scope = parameters.at('scope').oneOf(['Cluster', 'Namespace'], 'Cluster')
  const namespace = parameters.at('namespace')
  if (scope === 'Namespace' && !namespace.present) namespace.fault('is required')
  if (scope === 'Cluster' && namespace.present) namespace.fault('excludes scope Cluster')
  return namespace.text()
}

function readTls(raw: Reader): IngressTls {
  raw.object('hosts', 'secretName')
  return { hosts: raw.at('hosts').texts(), secretName: raw.at('secretName').text() }
}

function readRule(raw: Reader): IngressRule {
  const http = raw.object('host', 'http').at('http').object('paths')
  return {
    host: raw.at('host').text(),
    paths: http.present ? http.required('paths').items().map(readPath) : undefined,
  }
}

/** A cluster demands a path type; ingress-nginx takes none for ImplementationSpecific. */
function readPath(raw: Reader): IngressPath {
  raw.object('path', 'pathType', 'backend')
  return {
    path: raw.at('path').text(),
    pathType: raw
      .at('pathType')
      .oneOf(['Exact', 'Prefix', 'ImplementationSpecific'], 'ImplementationSpecific'),
    backend: readBackend(raw.required('backend')),
  }
}

function readBackend(raw: Reader): IngressBackend {
  const service = raw.object('service', 'resource').at('service').object('name', 'port')
  const resource = raw.at('resource').object('apiGroup', 'kind', 'name')
  if (resource.present) {
    if (service.present) resource.fault('excludes service')
    return {
      resource: {
        apiGroup: resource.at('apiGroup').text(),
        kind: resource.required('kind').text(),
        name: resource.required('name').text(),
      },
    }
  }
  if (service.present) {
    const name = service.required('name').shaped(isDnsLabel, 'the name of a Service')
    return { service: { name, port: readPort(service) } }
  }
  if (raw.present) service.fault('is required')
  return nowhere
}

/** By name or by number, never both. */
function readPort(service: Reader): string | number {
  const port = service.required('port').object('name', 'number')
  const name = port.at('name')
  const number = port.at('number')
  if (name.present && number.present) number.fault('excludes name')
  else if (port.present && !name.present && !number.present) number.fault('is required')
  if (!name.present) return number.integer(0, 1, portMax)
  return name.shaped(isPortName, 'the name of a port')
}

import type { IngressBackend, IngressPath, IngressRule, IngressTls } from './objects.ts'
import type { Specific } from './project.ts'
import type { Reader } from './reader.ts'

const portMax = 65_535

export function projectIngress(raw: Reader): Specific<'Ingress'> {
  const spec = raw.at('spec').expectObject()
  const className = spec.at('ingressClassName')
  const backend = spec.at('defaultBackend')
  return {
    className: className.present ? className.text() : undefined,
    defaultBackend: backend.present ? readBackend(backend) : undefined,
    tls: spec.at('tls').items().map(readTls),
    rules: spec.at('rules').items().map(readRule),
  }
}

function readTls(raw: Reader): IngressTls {
  return { hosts: raw.at('hosts').texts(), secretName: raw.at('secretName').text() }
}

function readRule(raw: Reader): IngressRule {
  const http = raw.expectObject().at('http')
  return {
    host: raw.at('host').text(),
    paths: http.present ? http.expectObject().at('paths').items().map(readPath) : undefined,
  }
}

function readPath(raw: Reader): IngressPath {
  // A cluster demands a path type; ingress-nginx takes none for ImplementationSpecific.
  const type = raw
    .at('pathType')
    .oneOf(['Exact', 'Prefix', 'ImplementationSpecific'], 'ImplementationSpecific')
  const backend = raw.at('backend')
  if (!backend.present) backend.fault('is required')
  return { path: raw.at('path').text(), pathType: type, backend: readBackend(backend) }
}

function readBackend(raw: Reader): IngressBackend {
  const service = raw.expectObject().at('service')
  const resource = raw.at('resource')
  if (resource.present) {
    if (service.present) resource.fault('excludes service')
    return {
      resource: {
        apiGroup: resource.at('apiGroup').text(),
        kind: resource.at('kind').requiredText(),
        name: resource.at('name').requiredText(),
      },
    }
  }
  if (!service.present && raw.present) service.fault('is required')
  return { service: { name: readServiceName(service), port: readPort(service.at('port')) } }
}

function readServiceName(service: Reader): string {
  return service.present ? service.at('name').requiredText() : ''
}

/** By name or by number; 0 where none is given, which only an ExternalName Service can do with. */
function readPort(raw: Reader): string | number {
  const name = raw.expectObject().at('name')
  const number = raw.at('number')
  if (name.present && number.present) number.fault('excludes name')
  return name.present ? name.requiredText() : number.integer(0, 1, portMax)
}

export function projectIngressClass(raw: Reader): Specific<'IngressClass'> {
  const spec = raw.at('spec').expectObject()
  const parameters = spec.at('parameters')
  return {
    controller: spec.at('controller').text(),
    parameters: parameters.present
      ? {
          kind: parameters.at('kind').requiredText(),
          name: parameters.at('name').requiredText(),
          namespace: parameters.at('namespace').text(),
        }
      : undefined,
  }
}

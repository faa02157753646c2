import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { ClientCertificatesConfig } from '#src/policies/client-certificates.ts'
import { inOrder } from '#src/policies/index.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import type { Service } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Certificate, Rule } from '#src/table/table.ts'
import { useOf } from './backend-use.ts'
import type { ServiceValues } from './backend-use.ts'
import { reportCertificate } from './certificates.ts'
import type { Certificates } from './certificates.ts'
import { defaultErrorPages } from './error-pages.ts'
import { originOf, reportOn, reportOnMissing } from './findings.ts'
import type { Moment } from './moment.ts'
import type { Options } from './options.ts'
import { targetOf } from './services/backends.ts'
import type { Target } from './services/backends.ts'
import { firstPort } from './services/ports.ts'
import type { CompileSettings } from './settings.ts'

/** The target of --default-backend-service, or undefined: none is named, or it cannot be used. */
export function findDefaultBackend(
  snapshot: Snapshot,
  { defaultBackendService }: CompileSettings,
  diagnostics: Diagnostics,
): Target | undefined {
  if (defaultBackendService === undefined) return undefined
  const { namespace, name } = defaultBackendService
  const service: Service | undefined = snapshot.get('Service', namespace, name)
  if (service === undefined) {
    const report = reportOnMissing('Service', defaultBackendService, diagnostics)
    report('service-missing', '', 'does not exist, though --default-backend-service names it')
    return undefined
  }
  const port = firstPort(service)
  if (port !== undefined) return targetOf(service, port)
  reportOn(service, diagnostics)(
    'service-port-missing',
    'spec.ports',
    'has no TCP port, though --default-backend-service names it',
  )
  return undefined
}

/** The policies of a rule that no Ingress made. */
export function serverPolicies({
  clients,
  everywhere,
}: {
  readonly clients: ClientCertificatesConfig | undefined
  readonly everywhere: readonly PolicyUse[]
}): readonly PolicyUse[] {
  if (clients === undefined) return everywhere
  return inOrder([{ name: 'client-certificates', config: clients }, ...everywhere])
}

/** The rule that sends what no other rule of a host takes to the default backend. */
export function defaultBackendRule(
  host: string,
  target: Target,
  context: {
    readonly options: Options
    readonly serviceValues: ServiceValues
    readonly clients: ClientCertificatesConfig | undefined
    /** Policies that hold for it, as for everything. */
    readonly everywhere: readonly PolicyUse[]
  },
): Rule {
  return {
    key: tupleKey('default-backend', host),
    origin: originOf(target.service),
    path: { type: 'prefix', value: '' },
    pathText: '',
    predicates: [],
    settings: context.options.routeSettings,
    policies: serverPolicies(context),
    backends: [useOf(target, context, {})],
    ...defaultErrorPages(target, context.options),
  }
}

/** The certificate of --default-ssl-certificate, or undefined: none is named, or it cannot be used. */
export function findDefaultCertificate(
  certificates: Certificates,
  { defaultCertificate }: CompileSettings,
  moment: Moment,
  diagnostics: Diagnostics,
): Certificate | undefined {
  if (defaultCertificate === undefined) return undefined
  const report = reportOnMissing('Secret', defaultCertificate, diagnostics)
  const found = certificates.find(defaultCertificate)
  reportCertificate(defaultCertificate, found, moment, (code, message) => {
    report(code, '', `${message} (--default-ssl-certificate)`)
  })
  return 'problem' in found ? undefined : found.certificate
}

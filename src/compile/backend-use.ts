import { collectAnnotations } from '#src/annotations/annotated.ts'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { annotationCodes, complete, readGiven } from '#src/annotations/schema.ts'
import type { Service } from '#src/snapshot/objects.ts'
import type { WeightedBackend } from '#src/table/table.ts'
import { reportOn } from './findings.ts'
import type { ParsedIngress } from './ingress.ts'
import type { RuleContext } from './rules.ts'
import type { Target } from './services/backends.ts'
import type { CompileSettings } from './settings.ts'
import { balanceAnnotations, balanceOf } from './values/balance.ts'
import { healthAnnotations } from './values/health-check.ts'
import type { BalanceValues } from './values/balance.ts'
import { protocolOf } from './values/backend-protocol.ts'
import { routingAnnotations } from './values/routing.ts'
import { annotationSchema } from './values/schema.ts'

/** What a Service's own annotations say. */
export interface ServiceValues {
  readonly balance: Partial<BalanceValues>
  /** The Service that stands in for it, '' for none. */
  readonly activeService: string
  readonly diagnostics: readonly Diagnostic[]
}

/** The one backend of a rule, with all that Ingress, Service and ConfigMap say about using it. */
export function useOf(
  { key, service, port }: Target,
  { options, serviceValues }: Pick<RuleContext, 'options' | 'serviceValues'>,
  own: Partial<
    Pick<ParsedIngress, 'balance'> &
      Pick<WeightedBackend, 'protocol' | 'tls' | 'followsScheme' | 'connection'>
  >,
): WeightedBackend {
  const balance = complete<BalanceValues>(
    balanceAnnotations,
    { ...options.balance },
    serviceValues.balance,
    own.balance ?? {},
  )
  const { protocol, tls, followsScheme, connection } = own
  const spoken =
    protocol === undefined
      ? protocolOf(options.protocol, {}, port.appProtocol)
      : {
          protocol,
          tls,
          ...(followsScheme === true && { followsScheme }),
          ...(connection !== undefined && { connection }),
        }
  return {
    backend: key,
    service: service.metadata.name,
    weight: 1,
    balance: balanceOf(balance),
    ...spoken,
    policies: [],
  }
}

/** Reads a Service's annotations. */
export function readService(service: Service, settings: CompileSettings): ServiceValues {
  const diagnostics = new Diagnostics()
  const report = reportOn(service, diagnostics)
  const { texts } = collectAnnotations(service.metadata.annotations, 'Service', {
    schema: annotationSchema,
    prefix: settings.annotationsPrefix,
    report,
  })
  const reading = { codes: annotationCodes, report }
  const balance = readGiven(balanceAnnotations, texts, reading)
  // Their values belong to the backend; here they are judged.
  readGiven(healthAnnotations, texts, reading)
  const { 'active-service': activeService = '' } = readGiven(routingAnnotations, texts, reading)
  return { balance, activeService, diagnostics: diagnostics.list }
}

/** What a Service that does not exist says. */
export const noServiceValues: ServiceValues = { balance: {}, activeService: '', diagnostics: [] }

import type { AnyAnnotations, AnyOptions } from '#src/annotations/schema.ts'
import { policyList } from '#src/policies/index.ts'
import { hostTlsAnnotations } from './host-tls.ts'
import { routingAnnotations } from './routing.ts'
import { unusedAnnotations } from './unused.ts'
import { protocolAnnotations } from './backend-protocol.ts'
import { balanceAnnotations } from './balance.ts'
import { canaryAnnotations } from './canary.ts'
import { endpointAnnotations } from './endpoint-weight.ts'
import { globalOptions } from './global-options.ts'
import { healthAnnotations } from './health-check.ts'
import { snippetAnnotations, snippetOptions } from './snippets.ts'
import { routeAnnotations, routeOptions } from './route-settings.ts'

/** Every annotation there is, whoever reads it. */
export const annotationSchema: AnyAnnotations = Object.assign(
  {},
  routeAnnotations,
  protocolAnnotations,
  routingAnnotations,
  hostTlsAnnotations,
  unusedAnnotations,
  balanceAnnotations,
  canaryAnnotations,
  endpointAnnotations,
  healthAnnotations,
  snippetAnnotations,
  ...policyList.map(([, { annotations }]) => annotations),
)

/** Every ConfigMap key there is: options proper, and annotations whose default the ConfigMap sets. */
export const optionSchema: AnyOptions = Object.assign(
  {},
  globalOptions,
  routeOptions,
  snippetOptions,
  ...policyList.map(([, { options }]) => options),
  Object.fromEntries(Object.entries(annotationSchema).filter(([, { option }]) => option === true)),
)

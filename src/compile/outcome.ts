import type { Ingress } from '#src/snapshot/objects.ts'
import { parseIngress } from './ingress.ts'
import type { Options } from './options.ts'
import type { CompileSettings } from './settings.ts'

/** What the annotations of an Ingress make of it as a whole. `closed`: its routes answer 503. */
export type IngressOutcome = 'served' | 'closed' | 'dropped'

/** Judges one Ingress by itself; what other objects do to it is not seen here. */
export function ingressOutcome(
  ingress: Ingress,
  options: Options,
  settings: CompileSettings,
): IngressOutcome {
  const { closed, dropped } = parseIngress(ingress, options, settings)
  if (dropped) return 'dropped'
  return closed ? 'closed' : 'served'
}

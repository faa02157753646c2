import type { Ingress, IngressClass } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { compareText } from './order.ts'
import type { CompileSettings } from './settings.ts'

/** The deprecated way to name a class. */
export const classAnnotation = 'kubernetes.io/ingress.class'
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class'

/** Whose an Ingress is. `missing`: it names a class that does not exist. */
export type Ownership = 'ours' | 'others' | 'missing'

/**
 * Whose an Ingress is: by the controller of its class, else by the deprecated annotation, else,
 * having no class, by the flag. Without an API server the default class is filled in as admission
 * would do it.
 */
export function ownershipOf(
  ingress: Ingress,
  snapshot: Snapshot,
  settings: CompileSettings,
): Ownership {
  const { className, metadata } = ingress
  if (className !== undefined && className !== '') return byName(className, snapshot, settings)
  if (settings.everyClass) return 'ours'
  const annotated = metadata.annotations[classAnnotation] ?? ''
  if (annotated !== '') return annotated === settings.ingressClass ? 'ours' : 'others'
  if (settings.watchIngressWithoutClass) return 'ours'
  if (settings.source !== 'files') return 'others'
  const preset = defaultClass(snapshot)
  return preset?.controller === settings.controllerClass ? 'ours' : 'others'
}

function byName(className: string, snapshot: Snapshot, settings: CompileSettings): Ownership {
  const found = snapshot.get('IngressClass', '', className)
  if (found !== undefined) {
    const named = settings.ingressClassByName && className === settings.ingressClass
    return named || found.controller === settings.controllerClass ? 'ours' : 'others'
  }
  if (settings.everyClass) return 'ours'
  if (settings.classes === 'names') return className === settings.ingressClass ? 'ours' : 'others'
  return settings.source === 'files' && className === settings.ingressClass ? 'ours' : 'missing'
}

/** Of several default classes the newest counts, then the first by name, as in admission. */
function defaultClass(snapshot: Snapshot): IngressClass | undefined {
  let best: IngressClass | undefined
  for (const candidate of snapshot.all('IngressClass')) {
    if (candidate.metadata.annotations[defaultAnnotation] !== 'true') continue
    if (best === undefined || isBefore(candidate, best)) best = candidate
  }
  return best
}

function isBefore(a: IngressClass, b: IngressClass): boolean {
  const newer = b.metadata.createdMs - a.metadata.createdMs
  return (newer || compareText(a.metadata.name, b.metadata.name)) < 0
}

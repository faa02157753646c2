import { classAnnotation } from '#src/compile/classes.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { AnyObject, Ingress, IngressClass } from '#src/snapshot/objects.ts'

/** What ingress-nginx calls itself in IngressClasses, and the class name that it takes by default. */
const nginxController = 'k8s.io/ingress-nginx'
const nginxClass = 'nginx'

/** The objects that move, and the Ingresses that are another controller's. */
export interface Movers {
  /** Without IngressClasses, so that every Ingress among them is judged. */
  readonly objects: readonly AnyObject[]
  /** Ingresses left out, by class. */
  readonly others: ReadonlyMap<string, number>
}

/**
 * Leaves out the Ingresses of other controllers. Those of ingress-nginx move, those that are ours
 * already are judged with them, and so are those whose class nothing is known about.
 */
export function chooseMovers(
  objects: readonly AnyObject[],
  { controllerClass, ingressClass }: CompileSettings,
): Movers {
  const classes = new Map<string, IngressClass>()
  for (const object of objects) {
    if (object.kind === 'IngressClass') classes.set(object.metadata.name, object)
  }
  const others = new Map<string, number>()
  const kept = objects.filter((object) => {
    if (object.kind === 'IngressClass') return false
    if (object.kind !== 'Ingress') return true
    const name = classOf(object)
    const controller = classes.get(name)?.controller
    const moves =
      controller === undefined
        ? [nginxClass, ingressClass, ''].includes(name) || object.className === name
        : controller === nginxController || controller === controllerClass
    if (!moves) others.set(name, (others.get(name) ?? 0) + 1)
    return moves
  })
  return { objects: kept, others }
}

/** The name of the class, from the field or the deprecated annotation; '' for none. */
function classOf({ className, metadata }: Ingress): string {
  return className ?? metadata.annotations[classAnnotation] ?? ''
}

import type { Reference } from '#src/policies/policy-definition.ts'
import type { ConfigMap, Secret } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'

/** An object that a value names, found out by itself: whether it exists is another question. */
export interface ObjectReference extends Pick<Reference, 'kind' | 'key' | 'by'> {
  readonly namespace: string
  readonly name: string
  /** Why it may not be used; '' if it may. */
  readonly problem: string
}

/** The references of one Ingress. `crossNamespace`: an annotation may name another namespace. */
export function resolveReferences(
  references: readonly Reference[],
  {
    namespace: own,
    crossNamespace,
  }: { readonly namespace: string; readonly crossNamespace: boolean },
): ObjectReference[] {
  return references
    .filter(({ text }) => text !== '')
    .map(({ kind, key, text, by }) => {
      const slash = text.indexOf('/')
      const namespace = slash < 0 ? own : text.slice(0, slash)
      const name = text.slice(slash + 1)
      let problem = ''
      if (by === 'option' && slash < 0)
        problem = `must be namespace/name, got ${JSON.stringify(text)}`
      if (by !== 'option' && namespace !== own && !crossNamespace) {
        problem = `names ${kind} ${text} of another namespace, which allow-cross-namespace-resources does not allow`
      }
      return { kind, key, by, namespace, name, problem }
    })
}

/** The objects themselves, parallel to the references. */
export function findObjects(
  references: readonly ObjectReference[],
  snapshot: Snapshot,
): (Secret | ConfigMap | undefined)[] {
  return references.map(({ kind, namespace, name, problem }) =>
    problem === '' ? snapshot.get(kind, namespace, name) : undefined,
  )
}

/** The object that the value of one key names; undefined: it names none that is there. */
export function findObject(
  references: readonly ObjectReference[],
  key: string,
  snapshot: Snapshot,
): Secret | ConfigMap | undefined {
  return findObjects(
    references.filter((reference) => reference.key === key),
    snapshot,
  )[0]
}

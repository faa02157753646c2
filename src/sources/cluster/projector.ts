import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { Kind, ObjectByKind } from '#src/snapshot/objects.ts'
import { project } from '#src/snapshot/project.ts'
import { diagnose } from '../diagnose.ts'
import { keyOf } from './raw-object.ts'
import type { RawObject } from './raw-object.ts'
import { apiVersionOf } from './resources.ts'

/** Slim objects from those of the API server, and what is wrong with those that cannot be used. */
export class Projector {
  readonly #findings = new Map<string, readonly Diagnostic[]>()
  readonly #onFinding: () => void

  /** `onFinding` is called when the findings have changed. */
  constructor(onFinding: () => void) {
    this.#onFinding = onFinding
  }

  /** By object, in no particular order. */
  get findings(): Iterable<readonly Diagnostic[]> {
    return this.#findings.values()
  }

  /** The object in its slim shape; undefined: it cannot be used. */
  project<K extends Kind>(
    kind: K,
    { namespace, name, body }: RawObject,
  ): ObjectByKind[K] | undefined {
    // Items of a list do not say what they are.
    const whole = { ...body, kind, apiVersion: apiVersionOf(kind) }
    const { objects, problems } = project(whole, '')
    // A server of a newer version knows fields that we do not; it has dropped what it does not know itself.
    const grave = problems.filter(({ harms }) => harms === 'object')
    const key = `${kind}/${keyOf({ namespace, name })}`
    if (grave.length > 0) {
      this.#findings.set(key, diagnose({ objects, problems: grave, foreign: [] }, ''))
      this.#onFinding()
    } else this.#forget(key)
    return objects[0] as ObjectByKind[K] | undefined
  }

  /** The object is gone. `key` is as `keyOf` makes it. */
  gone(kind: Kind, key: string): void {
    this.#forget(`${kind}/${key}`)
  }

  #forget(key: string): void {
    if (this.#findings.delete(key)) this.#onFinding()
  }
}

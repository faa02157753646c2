import { kinds } from './objects.ts'
import type { AnyObject } from './objects.ts'
import type { Snapshot } from './snapshot.ts'

/** The objects of every kind. */
export function* everyObject(snapshot: Snapshot): Generator<AnyObject, void> {
  for (const kind of kinds) yield* snapshot.all(kind)
}

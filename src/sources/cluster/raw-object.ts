import { ApiError, failureOf } from '#src/kubernetes/api-error.ts'
import { WatchBroken } from './watch-lines.ts'

/** An object as the API server sends it, with what is needed of its metadata found. */
export interface RawObject {
  readonly namespace: string
  readonly name: string
  readonly resourceVersion: string
  readonly body: Record<string, unknown>
}

/** What a line of a watch says. */
export type WatchEvent =
  | { readonly type: 'put' | 'deleted'; readonly object: RawObject }
  /** Everything up to this version has been told. `initialEnd`: and with it what there was at first. */
  | { readonly type: 'bookmark'; readonly version: string; readonly initialEnd: boolean }

/** Annotation of the bookmark that ends the initial events (KEP-3157). */
const initialEndAnnotation = 'k8s.io/initial-events-end'

/** Key of an object within its kind; no namespace holds a slash. */
export function keyOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`
}

/**
 * Reads one line of a watch; undefined for a type that is not known. Throws what an event of type
 * ERROR says as an ApiError, and a WatchBroken for what is no event.
 */
export function readEvent(document: unknown, request: string): WatchEvent | undefined {
  const { type, object } = membersOf(document)
  if (typeof type !== 'string' || !isRecord(object)) throw new WatchBroken('not an event')
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'put', object: readObject(object) }
    case 'DELETED':
      return { type: 'deleted', object: readObject(object) }
    case 'BOOKMARK': {
      const metadata = membersOf(object['metadata'])
      const annotations = membersOf(metadata['annotations'])
      const version = textOf(metadata['resourceVersion'])
      if (version === '') throw new WatchBroken('a bookmark without resourceVersion')
      return { type: 'bookmark', version, initialEnd: annotations[initialEndAnnotation] === 'true' }
    }
    case 'ERROR': {
      const code = typeof object['code'] === 'number' ? object['code'] : 500
      throw new ApiError(request, failureOf(code, JSON.stringify(object), undefined))
    }
    default:
      return undefined
  }
}

/** Throws a WatchBroken when the object has no name or version. */
export function readObject(body: unknown): RawObject {
  const metadata = membersOf(membersOf(body)['metadata'])
  const name = textOf(metadata['name'])
  const resourceVersion = textOf(metadata['resourceVersion'])
  if (name === '' || resourceVersion === '')
    throw new WatchBroken('an object without name or version')
  return {
    namespace: textOf(metadata['namespace']),
    name,
    resourceVersion,
    body: body as Record<string, unknown>,
  }
}

/** One page of a list. */
export interface Page {
  readonly items: readonly RawObject[]
  readonly version: string
  /** Token for the next page, '' for none. */
  readonly next: string
}

/** Throws a WatchBroken for what is no list. */
export function readPage(document: unknown): Page {
  const { metadata, items } = membersOf(document)
  const list = items ?? []
  if (!isRecord(metadata) || !Array.isArray(list)) throw new WatchBroken('not a list')
  return {
    items: (list as unknown[]).map(readObject),
    version: textOf(metadata['resourceVersion']),
    next: textOf(metadata['continue']),
  }
}

function membersOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

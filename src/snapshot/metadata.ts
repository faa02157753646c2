import { isDnsLabel, isDnsSubdomain, isLabelValue, isQualifiedName } from './names.ts'
import type { Metadata } from './objects.ts'
import type { Reader } from './reader.ts'

/** How objects of a kind are named. */
export interface Naming {
  readonly clusterScope: boolean
  readonly nameShape: 'label' | 'subdomain'
}

/** The API server's bound for all annotations of one object together. */
const annotationBytesMax = 256 * 1024

/** RFC 3339 with seconds, as metav1.Time is written. */
const time = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

/** Reads and checks what every object has. The namespace is `default` where a kind needs one. */
export function readMetadata(raw: Reader, naming: Naming): Metadata {
  return {
    namespace: naming.clusterScope ? '' : readNamespace(raw.at('namespace')),
    name: readName(raw.required('name'), naming.nameShape),
    uid: raw.at('uid').text(),
    createdMs: readTime(raw.at('creationTimestamp')),
    generation: raw.at('generation').integer(0, 0, Number.MAX_SAFE_INTEGER),
    annotations: readAnnotations(raw.at('annotations')),
    labels: readLabels(raw.at('labels')),
  }
}

/** A map of strings without a prototype, so that a look-up finds nothing but entries. */
export function textMap(entries: Iterable<readonly [string, string]>): Record<string, string> {
  const map = Object.create(null) as Record<string, string>
  for (const [key, text] of entries) map[key] = text
  return map
}

function readName(raw: Reader, shape: Naming['nameShape']): string {
  return shape === 'label'
    ? raw.shaped(isDnsLabel, labelRule)
    : raw.shaped(isDnsSubdomain, 'lower-case letters, digits, - and ., as in a DNS name')
}

const labelRule = 'at most 63 lower-case letters, digits and -'

/** As with kubectl, an empty namespace is none. */
function readNamespace(raw: Reader): string {
  return raw.shaped((text) => text === '' || isDnsLabel(text), labelRule) || 'default'
}

function readTime(raw: Reader): number {
  const text = raw.text()
  if (text === '') return 0
  const ms = time.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) raw.expected('a time such as 2026-01-31T12:00:00Z')
  return Number.isNaN(ms) ? 0 : ms
}

function readAnnotations(raw: Reader): Record<string, string> {
  const entries: [string, string][] = []
  let bytes = 0
  for (const [key, value] of raw.members((name) => name)) {
    const text = value.text()
    bytes += key.length + text.length
    if (!isQualifiedName(key)) value.fault('has a key that is no valid annotation key')
    entries.push([key, text])
  }
  if (bytes > annotationBytesMax) raw.fault(`must not exceed ${annotationBytesMax} bytes`)
  return textMap(entries)
}

function readLabels(raw: Reader): Record<string, string> {
  const entries: [string, string][] = []
  for (const [key, value] of raw.members((name) => `metadata.labels[${name}]`)) {
    const text = value.shaped(isLabelValue, 'at most 63 letters, digits, -, _ and .')
    if (!isQualifiedName(key)) value.fault('has a key that is no valid label key')
    entries.push([key, text])
  }
  return textMap(entries)
}

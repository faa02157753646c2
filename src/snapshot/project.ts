import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import { kinds } from './objects.ts'
import type { AnyObject, Kind, Metadata, ObjectByKind } from './objects.ts'
import { projectIngress, projectIngressClass } from './project-ingress.ts'
import { projectConfigMap, projectNamespace, projectSecret } from './project-data.ts'
import { projectEndpointSlice, projectService } from './project-service.ts'
import { Reader } from './reader.ts'
import type { Fault } from './reader.ts'

/** What a document, or one item of an API list, came to. */
export interface Projected {
  readonly objects: readonly AnyObject[]
  readonly diagnostics: readonly Diagnostic[]
}

/** The part of an object that its own kind adds to kind, metadata and file. */
export type Specific<K extends Kind> = Omit<ObjectByKind[K], 'kind' | 'metadata' | 'file'>

interface Projection<K extends Kind> {
  readonly apiVersion: string
  readonly clusterScope: boolean
  read(raw: Reader): Specific<K>
}

const projections: { readonly [K in Kind]: Projection<K> } = {
  Ingress: { apiVersion: 'networking.k8s.io/v1', clusterScope: false, read: projectIngress },
  IngressClass: {
    apiVersion: 'networking.k8s.io/v1',
    clusterScope: true,
    read: projectIngressClass,
  },
  Service: { apiVersion: 'v1', clusterScope: false, read: projectService },
  EndpointSlice: {
    apiVersion: 'discovery.k8s.io/v1',
    clusterScope: false,
    read: projectEndpointSlice,
  },
  Secret: { apiVersion: 'v1', clusterScope: false, read: projectSecret },
  ConfigMap: { apiVersion: 'v1', clusterScope: false, read: projectConfigMap },
  Namespace: { apiVersion: 'v1', clusterScope: true, read: projectNamespace },
}

/** RFC 1123 names, as the API server checks them (validation.IsDNS1123Subdomain). */
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
const nameLengthMax = 253

/**
 * Turns one parsed document into objects of ours: it checks every field that is kept, drops the rest,
 * and takes lists apart. Documents of other kinds give nothing. Never throws, whatever it is given;
 * an object with a fault is left out, each fault being a diagnostic.
 */
export function project(document: unknown, file: string): Projected {
  const objects: AnyObject[] = []
  const diagnostics = new Diagnostics()
  projectInto(new Reader(document), file, { objects, diagnostics })
  return { objects, diagnostics: diagnostics.list }
}

interface Into {
  readonly objects: AnyObject[]
  readonly diagnostics: Diagnostics
}

function projectInto(raw: Reader, file: string, into: Into): void {
  if (!raw.present) return
  const kind = raw.expectObject().at('kind').text()
  if (raw.faults.length > 0 || kind === '') {
    const message = raw.faults[0]?.message ?? 'has no kind, so it is no Kubernetes object'
    const place = { kind: '', namespace: '', name: '', field: '', file }
    into.diagnostics.report('object-invalid', place, message)
    return
  }
  if (kind === 'List' || (kind.endsWith('List') && isKind(kind.slice(0, -4)))) {
    for (const item of raw.at('items').items()) projectInto(item.apart(), file, into)
    return
  }
  if (isKind(kind)) projectKind(kind, raw, file, into)
}

// oxlint-disable-next-line max-params -- one step of projectInto, split off for its length
function projectKind(kind: Kind, raw: Reader, file: string, into: Into): void {
  const projection = projections[kind]
  const apiVersion = raw.at('apiVersion')
  if (apiVersion.text() !== projection.apiVersion) {
    // Another group's kind of the same name is not ours; an old version of ours is worth a word.
    if (!isFormerVersion(kind, apiVersion.text())) return
    apiVersion.fault(`must be ${projection.apiVersion}`)
  }
  const metadata = readMetadata(raw.at('metadata'), projection.clusterScope)
  const specific = projection.read(raw)
  for (const fault of raw.faults)
    into.diagnostics.report('object-invalid', placeOf(kind, metadata, fault, file), fault.message)
  if (raw.faults.length > 0) return
  into.objects.push({ kind, metadata, file, ...specific } as unknown as AnyObject)
}

function placeOf(
  kind: string,
  { namespace, name }: Metadata,
  { field }: Fault,
  file: string,
): { kind: string; namespace: string; name: string; field: string; file: string } {
  return { kind, namespace, name, field, file }
}

function isKind(kind: string): kind is Kind {
  return (kinds as readonly string[]).includes(kind)
}

/** Versions in which our kinds once existed, or that people leave out. */
function isFormerVersion(kind: Kind, apiVersion: string): boolean {
  if (apiVersion === '') return true
  const old: Partial<Record<Kind, readonly string[]>> = {
    Ingress: ['extensions/v1beta1', 'networking.k8s.io/v1beta1'],
    IngressClass: ['networking.k8s.io/v1beta1'],
    EndpointSlice: ['discovery.k8s.io/v1beta1'],
  }
  return old[kind]?.includes(apiVersion) === true
}

function readMetadata(raw: Reader, clusterScope: boolean): Metadata {
  const name = raw.at('name')
  const text = name.requiredText()
  if (text !== '' && !isName(text)) {
    name.fault(`must be a DNS name in lower case, got ${JSON.stringify(text.slice(0, 80))}`)
  }
  const namespace = raw.at('namespace')
  const space = clusterScope ? '' : namespace.text('default')
  if (!clusterScope && !isName(space)) {
    namespace.fault(`must be a DNS name in lower case, got ${JSON.stringify(space.slice(0, 80))}`)
  }
  return {
    namespace: space,
    name: text,
    uid: raw.at('uid').text(),
    createdMs: readTime(raw.at('creationTimestamp')),
    generation: raw.at('generation').integer(0, 0, Number.MAX_SAFE_INTEGER),
    annotations: raw.at('annotations').textMap(),
    labels: raw.at('labels').textMap(),
  }
}

function isName(text: string): boolean {
  return text.length <= nameLengthMax && subdomain.test(text)
}

/** RFC 3339; YAML parsers may have made a date of it already. */
function readTime(raw: Reader): number {
  if (!raw.present) return 0
  const ms = raw.time()
  if (Number.isNaN(ms)) raw.fault('must be a time such as 2026-01-31T12:00:00Z')
  return Number.isNaN(ms) ? 0 : ms
}

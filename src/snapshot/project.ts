import { readMetadata, type Naming } from './metadata.ts'
import { kinds } from './objects.ts'
import type { AnyObject, Kind, ObjectByKind } from './objects.ts'
import { projectConfigMap, projectNamespace, projectSecret } from './project-data.ts'
import { projectIngress, projectIngressClass } from './project-ingress.ts'
import { projectEndpointSlice, projectService } from './project-service.ts'
import { Reader } from './reader.ts'
import type { Fault } from './reader.ts'

/** Something wrong with one object of a document. */
export interface Problem extends Fault {
  /** As far as they are known; '' otherwise. */
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** An object of a kind that is none of ours. */
export interface ForeignObject {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** What a document came to. */
export interface Projected {
  readonly objects: readonly AnyObject[]
  readonly problems: readonly Problem[]
  readonly foreign: readonly ForeignObject[]
}

/** The part of an object that its own kind adds to kind, metadata and file. */
export type Specific<K extends Kind> = Omit<ObjectByKind[K], 'kind' | 'metadata' | 'file'>

interface Projection<K extends Kind> extends Naming {
  readonly apiVersion: string
  read(raw: Reader): Specific<K>
}

const inNamespace = { clusterScope: false, nameShape: 'subdomain' } as const
const inCluster = { clusterScope: true, nameShape: 'subdomain' } as const
const networking = 'networking.k8s.io/v1'

const projections: { readonly [K in Kind]: Projection<K> } = {
  Ingress: { ...inNamespace, apiVersion: networking, read: projectIngress },
  IngressClass: { ...inCluster, apiVersion: networking, read: projectIngressClass },
  Service: { ...inNamespace, nameShape: 'label', apiVersion: 'v1', read: projectService },
  EndpointSlice: { ...inNamespace, apiVersion: 'discovery.k8s.io/v1', read: projectEndpointSlice },
  Secret: { ...inNamespace, apiVersion: 'v1', read: projectSecret },
  ConfigMap: { ...inNamespace, apiVersion: 'v1', read: projectConfigMap },
  Namespace: { ...inCluster, nameShape: 'label', apiVersion: 'v1', read: projectNamespace },
}

/** Lists within lists are taken apart to this depth. */
const listDepthMax = 4
const nameLengthMax = 253

/**
 * Turns one parsed document into objects of ours: checks every field that is kept as the API server
 * would, drops the rest, and takes lists apart. Never throws, whatever it is given. An object with a
 * fault is left out; documents of kinds that are not ours are named in `foreign` and nothing else.
 */
export function project(document: unknown, file: string): Projected {
  const into: Into = { file, objects: [], problems: [], foreign: [] }
  projectAny(new Reader(document), into, { kind: '', apiVersion: '', depth: 0 })
  return into
}

/** The API group and version in which a kind of ours is read. */
export function apiVersionOf(kind: Kind): string {
  return projections[kind].apiVersion
}

/** Whether kinds of this API group come with Kubernetes itself. */
export function isBuiltInGroup(apiVersion: string): boolean {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  return !group.includes('.') || group.endsWith('.k8s.io')
}

interface Into {
  readonly file: string
  readonly objects: AnyObject[]
  readonly problems: Problem[]
  readonly foreign: ForeignObject[]
}

/** What items of a typed list need not say themselves. */
interface Preset {
  readonly kind: string
  readonly apiVersion: string
  readonly depth: number
}

function projectAny(raw: Reader, into: Into, preset: Preset): void {
  if (!raw.present) return
  if (!raw.isObject) {
    raw.expected('a Kubernetes object')
    addProblems(into, { kind: '', namespace: '', name: '' }, raw)
    return
  }
  const kind = raw.at('kind').text(preset.kind)
  const apiVersion = raw.at('apiVersion').text(preset.apiVersion)
  if (kind === '' && !raw.faults.grave) raw.at('kind').fault('is required')
  if (raw.faults.grave) {
    addProblems(into, { kind, ...readIdentity(raw) }, raw)
  } else if (kind === 'List' || (kind.endsWith('List') && isKind(kind.slice(0, -4)))) {
    projectList(raw, into, { kind: kind.slice(0, -4), apiVersion, depth: preset.depth + 1 })
  } else if (isKind(kind) && (apiVersion === '' || isBuiltInGroup(apiVersion))) {
    projectKind(kind, apiVersion, raw, into)
  } else {
    into.foreign.push({ apiVersion, kind, ...readIdentity(raw) })
  }
}

function projectList(raw: Reader, into: Into, preset: Preset): void {
  const items = raw.at('items')
  if (preset.depth > listDepthMax) items.fault(`must not be nested deeper than ${listDepthMax}`)
  else {
    for (const item of items.items()) {
      if (item.present && !item.isObject) item.expected('a Kubernetes object')
      else projectAny(item.apart(), into, preset)
    }
  }
  addProblems(into, { kind: `${preset.kind}List`, namespace: '', name: '' }, raw)
}

// oxlint-disable-next-line max-params -- one step of projectAny, split off for its length
function projectKind(kind: Kind, apiVersion: string, raw: Reader, into: Into): void {
  const projection = projections[kind]
  const metadata = readMetadata(raw.at('metadata').expectObject(), projection)
  if (apiVersion === projection.apiVersion) {
    const specific = projection.read(raw)
    const object = { kind, metadata, file: into.file, ...specific } as unknown as AnyObject
    if (!raw.faults.grave) into.objects.push(object)
  } else {
    raw.at('apiVersion').expected(projection.apiVersion)
  }
  addProblems(into, { kind, ...identityOf(metadata) }, raw)
}

function addProblems(
  into: Into,
  identity: Pick<Problem, 'kind' | 'namespace' | 'name'>,
  { faults }: Reader,
): void {
  for (const fault of faults.all()) into.problems.push({ ...fault, ...identity })
}

type Identity = Pick<Problem, 'namespace' | 'name'>

/** Of an object that is not read any further. */
function readIdentity(raw: Reader): Identity {
  const metadata = raw.apart().at('metadata')
  return identityOf({
    namespace: metadata.at('namespace').text(),
    name: metadata.at('name').text(),
  })
}

/** Names that are none may be of any length. */
function identityOf({ namespace, name }: Identity): Identity {
  return { namespace: namespace.slice(0, nameLengthMax), name: name.slice(0, nameLengthMax) }
}

function isKind(kind: string): kind is Kind {
  return (kinds as readonly string[]).includes(kind)
}

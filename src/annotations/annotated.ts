import { ingressNginxAliases, ingressNginxPending, ingressNginxRemoved } from './ingress-nginx.ts'
import type { Pending } from './ingress-nginx.ts'
import type {
  AnnotatedKind,
  Annotation,
  AnyAnnotations,
  ReportField,
  SettingText,
} from './schema.ts'
import { suggest } from './suggest.ts'

/** The prefix of keys that are always read, and win over the compatible ones. */
export const ownPrefix = 'headgate.dev'

/** What one object's annotations say. */
export interface AnnotationTexts {
  /** By key without prefix. */
  readonly texts: ReadonlyMap<string, SettingText>
  /** `close`: its routes must answer 503. `drop`: it must not be served. See `Pending`. */
  readonly verdict: 'serve' | 'close' | 'drop'
}

/** What annotations are read against. */
export interface AnnotationReading {
  readonly schema: AnyAnnotations
  /** The compatible prefix, without slash. */
  readonly prefix: string
  readonly report: ReportField
}

const nothing: AnnotationTexts = { texts: new Map(), verdict: 'serve' }

/**
 * Picks the keys under our two prefixes out of an object's annotations. A key that is unknown, not
 * honoured, or written twice is reported; none is passed over in silence.
 */
export function collectAnnotations(
  annotations: Readonly<Record<string, string>>,
  kind: AnnotatedKind,
  reading: AnnotationReading,
): AnnotationTexts {
  const texts = new Map<string, SettingText>()
  let verdict: AnnotationTexts['verdict'] = 'serve'
  for (const [key, text] of Object.entries(annotations)) {
    const slash = key.indexOf('/')
    const prefix = key.slice(0, Math.max(slash, 0))
    if (prefix !== ownPrefix && prefix !== reading.prefix) continue
    const written = { key, text }
    const name = key.slice(slash + 1)
    const canonical = aliasOf(name)
    if (isReadable(reading.schema, canonical, prefix === ownPrefix, kind)) {
      keep(texts, canonical, written, reading.report)
    } else {
      verdict = worse(verdict, judge(name, written, kind, reading))
    }
  }
  return texts.size === 0 && verdict === 'serve' ? nothing : { texts, verdict }
}

function aliasOf(name: string): string {
  return Object.hasOwn(ingressNginxAliases, name) ? (ingressNginxAliases[name] ?? name) : name
}

function isReadable(
  schema: AnyAnnotations,
  name: string,
  own: boolean,
  kind: AnnotatedKind,
): boolean {
  const annotation = Object.hasOwn(schema, name) ? schema[name] : undefined
  if (annotation === undefined) return false
  return (own || annotation.compatibility !== 'own') && mayStandOn(annotation, kind)
}

function mayStandOn({ on }: Annotation<unknown>, kind: AnnotatedKind): boolean {
  return on === undefined ? kind === 'Ingress' : on.includes(kind)
}

/** Our own prefix beats the compatible one, and a name beats its alias, in whatever order they stand. */
function keep(
  texts: Map<string, SettingText>,
  name: string,
  written: SettingText,
  report: ReportField,
): void {
  const other = texts.get(name)
  if (other === undefined) {
    texts.set(name, written)
    return
  }
  const [kept, lost] = rank(written, name) > rank(other, name) ? [written, other] : [other, written]
  texts.set(name, kept)
  report('annotation-unused', lost.key, `${kept.key} stands beside it and wins`)
}

function rank({ key }: SettingText, name: string): number {
  return (key.startsWith(`${ownPrefix}/`) ? 2 : 0) + (key.endsWith(`/${name}`) ? 1 : 0)
}

/** Reports a key that is not read, and says what becomes of its object. */
function judge(
  name: string,
  { key, text }: SettingText,
  kind: AnnotatedKind,
  { schema, report }: AnnotationReading,
): AnnotationTexts['verdict'] {
  const canonical = aliasOf(name)
  if (Object.hasOwn(ingressNginxRemoved, name)) {
    report(
      'annotation-refused',
      key,
      `is not a key of today's ingress-nginx: ${ingressNginxRemoved[name]}`,
    )
    return 'serve'
  }
  const pending = Object.hasOwn(ingressNginxPending, canonical)
    ? ingressNginxPending[canonical]
    : undefined
  if (pending === undefined || kind !== 'Ingress') {
    report('annotation-unknown', key, unknownMessage(name, kind, schema))
    return 'serve'
  }
  const value = text.trim().toLowerCase()
  if (value === '' || value === pending.preset.toLowerCase()) {
    report('annotation-unused', key, "says what is ingress-nginx's default, so it asks for nothing")
    return 'serve'
  }
  const applies = pending.when === undefined || pending.when === value
  const verdict = applies ? pending.otherwise : 'serve'
  report('annotation-refused', key, consequenceOf(verdict, pending))
  return verdict
}

const consequences = {
  serve: 'the route is served without it',
  close: 'it protects the route, which therefore answers 503',
  drop: 'without it the Ingress is not served',
}

function consequenceOf(verdict: AnnotationTexts['verdict'], { instead }: Pending): string {
  const what = `this annotation of ingress-nginx is not supported${instead === undefined ? ' yet' : ''}`
  const why = instead === undefined ? '' : `: ${instead}`
  return `${what}; ${consequences[verdict]}${why}`
}

function unknownMessage(name: string, kind: AnnotatedKind, schema: AnyAnnotations): string {
  const known = Object.hasOwn(schema, name) ? schema[name] : undefined
  if (known !== undefined && mayStandOn(known, kind)) {
    return `is a key of Headgate's own: write ${ownPrefix}/${name}`
  }
  if (known !== undefined || Object.hasOwn(ingressNginxPending, name)) {
    return `has no meaning on an object of kind ${kind}`
  }
  const near = suggest(name, [...Object.keys(schema), ...Object.keys(ingressNginxPending)])
  return near === undefined ? 'is not known' : `is not known; did you mean ${near}?`
}

function worse(
  a: AnnotationTexts['verdict'],
  b: AnnotationTexts['verdict'],
): AnnotationTexts['verdict'] {
  if (a === 'drop' || b === 'drop') return 'drop'
  return a === 'close' || b === 'close' ? 'close' : 'serve'
}

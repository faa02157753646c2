import type { Ingress, IngressPath } from '#src/snapshot/objects.ts'
import type { PlannedRequest } from './planned-request.ts'
import { requestKey } from './planned-request.ts'
import { samplePath } from './sample-path.ts'

/** What an Ingress says under either prefix, by key without prefix. */
type Texts = (key: string) => string | undefined

/** The prefixes of annotations, the stronger first. */
export type Prefixes = readonly string[]

/** A request and how much it tells: those of rank 0 are sent first. */
interface Ranked {
  readonly rank: number
  readonly request: PlannedRequest
}

const word = 'headgate-compare'
const nowhere = `/${word}-nothing`
/** A name that nobody may own (RFC 6761). */
const unknownHost = `${word}.invalid`

/**
 * Requests that show what Ingresses do: each path itself, around its edges and below it, with a query,
 * and what its annotations react to. Of each path the most telling request comes first, so that the
 * first thousand say something about every Ingress. None is there twice.
 */
export function ruleRequests(ingresses: readonly Ingress[], prefixes: Prefixes): PlannedRequest[] {
  const ranked: Ranked[] = []
  for (const ingress of ingresses) {
    const texts = textsOf(ingress, prefixes)
    for (const rule of ingress.rules) {
      const host = rule.host === '' ? unknownHost : rule.host.replace(/^\*/, word)
      for (const path of rule.paths ?? [])
        ranked.push(...pathRequests(ingress, { host, path, texts }))
      ranked.push(...hostRequests(ingress, host, texts))
    }
    if (ingress.rules.length === 0) ranked.push(...hostRequests(ingress, unknownHost, texts))
  }
  ranked.push(get(3, unknownHost, '/', 'a host that nobody names'))
  const seen = new Set<string>()
  return ranked
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ request }) => request)
    .filter((request) => {
      const key = requestKey(request)
      if (seen.has(key)) return false
      seen.add(key)
      return true
    })
}

function textsOf({ metadata }: Ingress, prefixes: Prefixes): Texts {
  return (key) => {
    for (const prefix of prefixes) {
      const text = metadata.annotations[`${prefix}/${key}`]?.trim()
      if (text !== undefined && text !== '') return text
    }
    return undefined
  }
}

interface PathSite {
  readonly host: string
  readonly path: IngressPath
  readonly texts: Texts
}

function pathRequests(ingress: Ingress, { host, path, texts }: PathSite): Ranked[] {
  const from = `Ingress ${ingress.metadata.namespace}/${ingress.metadata.name} ${path.path || '/'}`
  const regex = texts('use-regex') === 'true' || texts('rewrite-target') !== undefined
  const target = regex ? samplePath(path.path) : encodeURI(path.path || '/')
  const bare = target.replace(/\/+$/, '')
  const around = [`${bare}/`, `${bare}/${word}`, `${bare}${word}`, bare === '' ? nowhere : bare]
  return [
    get(0, host, target, from),
    get(1, host, `${target}?a=1&b=%20c&a=2`, from),
    ...around.map((near) => get(1, host, near, from)),
    get(2, host, `/${target}`, from),
    get(2, host, target.toUpperCase(), from),
    { rank: 2, request: { method: 'HEAD', host, target, fields: [], from } },
    ...corsRequests(texts, { method: 'GET', host, target, fields: [], from }),
    ...canaryRequests(texts, { method: 'GET', host, target, fields: [], from }),
  ]
}

function corsRequests(texts: Texts, request: PlannedRequest): Ranked[] {
  if (texts('enable-cors') !== 'true') return []
  const listed = texts('cors-allow-origin')?.split(',')[0]?.trim() ?? '*'
  const allowed = listed === '*' ? `https://${unknownHost}` : listed.replace('*', word)
  const preflight = ['Access-Control-Request-Method', 'POST']
  return [allowed, 'https://other.invalid'].flatMap((origin) => [
    { rank: 1, request: { ...request, fields: ['Origin', origin] } },
    {
      rank: 1,
      request: { ...request, method: 'OPTIONS', fields: ['Origin', origin, ...preflight] },
    },
  ])
}

function canaryRequests(texts: Texts, request: PlannedRequest): Ranked[] {
  if (texts('canary') !== 'true') return []
  const header = texts('canary-by-header')
  const cookie = texts('canary-by-cookie')
  const value = texts('canary-by-header-value')
  const words = [value, 'always', 'never'].filter((text) => text !== undefined)
  return [
    ...(header === undefined ? [] : words.map((text) => [header, text])),
    ...(cookie === undefined ? [] : words.map((text) => ['Cookie', `${cookie}=${text}`])),
  ].map((fields) => ({ rank: 1, request: { ...request, fields } }))
}

function hostRequests({ metadata }: Ingress, host: string, texts: Texts): Ranked[] {
  const from = `Ingress ${metadata.namespace}/${metadata.name}`
  const others = (texts('server-alias') ?? '').split(',').map((alias) => alias.trim())
  if (texts('from-to-www-redirect') === 'true') {
    others.push(host.startsWith('www.') ? host.slice(4) : `www.${host}`)
  }
  return [
    get(2, host, '/', from),
    get(2, host, nowhere, from),
    ...others
      .filter((other) => other !== '')
      .map((other) => get(1, other.replace(/^\*/, word), `/${word}?a=1`, from)),
  ]
}

// oxlint-disable-next-line max-params -- the parts of a plain request
function get(rank: number, host: string, target: string, from: string): Ranked {
  return { rank, request: { method: 'GET', host, target, fields: [], from } }
}

import type { Seen } from './ask.ts'
import { readEcho } from './echo.ts'
import type { Echo } from './echo.ts'

/** One thing that is not the same at both. */
export interface Difference {
  /** `status`, the name of a header field, or `upstream` and what it saw. */
  readonly what: string
  /** '' : absent. */
  readonly old: string
  readonly new: string
}

/** What counts as a difference. */
export interface Yardstick {
  /** Header fields that are compared, lower case. */
  readonly names: readonly string[]
  /** Bodies are those of an echo server. */
  readonly echo: boolean
  /** Names in an echo that do not count, lower case. */
  readonly ignored: ReadonlySet<string>
  /** The ports asked: each stands for the same in the answers of its side. */
  readonly ports: { readonly old: string; readonly new: string }
}

/** The fields that are compared where none are named. */
export const usualFields: readonly string[] = [
  'location',
  'www-authenticate',
  'allow',
  'strict-transport-security',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-allow-credentials',
  'access-control-expose-headers',
  'access-control-max-age',
  'set-cookie',
  'content-type',
  'content-encoding',
  'cache-control',
]

/** Fields of a body. The pages that controllers make for errors are their own. */
const aboutBodies: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-length',
  'cache-control',
  'etag',
])

/** Everything that two answers to one request do not have in common. */
export function differencesOf(old: Seen, now: Seen, yardstick: Yardstick): Difference[] {
  const found: Difference[] = []
  const add = (what: string, a: string, b: string): void => {
    if (a !== b) found.push({ what, old: a, new: b })
  }
  add('status', statusText(old), statusText(now))
  if (old.status === 0 || now.status === 0) return found
  const pages = old.status >= 400 || now.status >= 400
  for (const name of yardstick.names) {
    if (pages && aboutBodies.has(name)) continue
    const { ports } = yardstick
    add(name, fieldText(name, old, ports.old), fieldText(name, now, ports.new))
  }
  if (yardstick.echo && !pages) found.push(...echoDifferences(old, now, yardstick))
  return found
}

function statusText({ status, error }: Seen): string {
  return status === 0 ? error : String(status)
}

function fieldText(name: string, { fields }: Seen, port: string): string {
  const values = fields[name] ?? []
  if (name === 'set-cookie') return values.map(cookieShape).toSorted().join(', ')
  const text = values.join(', ')
  return name === 'location' ? withoutPort(text, port) : text
}

/** A cookie without what is new each time: its value and its end. */
function cookieShape(text: string): string {
  const [pair = '', ...attributes] = text.split(';')
  const kept = attributes.map((part) => part.trim()).filter((part) => !/^expires=/i.test(part))
  return [`${pair.split('=')[0]}=…`, ...kept.toSorted()].join('; ')
}

/** The port that was asked is no part of the answer: the two controllers listen on different ones. */
function withoutPort(location: string, port: string): string {
  return port === ''
    ? location
    : location.replace(new RegExp(`^(https?://[^/:]+):${port}(?=/|$)`), '$1')
}

function echoDifferences(old: Seen, now: Seen, { ignored, ports }: Yardstick): Difference[] {
  const before = readEcho(old.body, ignored)
  const after = readEcho(now.body, ignored)
  if (before === undefined || after === undefined) {
    if (before === after) return []
    return [{ what: 'upstream', old: echoShape(before), new: echoShape(after) }]
  }
  const found: Difference[] = []
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const was = portless(name, before.get(name), ports.old)
    const is = portless(name, after.get(name), ports.new)
    if (was !== is) found.push({ what: `upstream ${name}`, old: was, new: is })
  }
  return found
}

function echoShape(echo: Echo | undefined): string {
  return echo === undefined ? 'no echo' : 'an echo'
}

function portless(name: string, value: string | undefined, port: string): string {
  if (value === undefined) return ''
  return name.endsWith('x-forwarded-port') && value === port ? '(own port)' : value
}

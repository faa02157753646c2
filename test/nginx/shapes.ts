import type { Got, ProxyPorts } from './client.ts'
import type { Seen } from './peers.ts'

/** Something that must be alike: fields by their names, and the rest by names in front of which is a colon. */
export type Shape = Readonly<Record<string, string>>

/** Fields of answers that say who answered, and when, and not what. */
const ownFields = new Set('date server connection keep-alive transfer-encoding'.split(' '))
/** Fields that come with a page of the proxy itself. */
const pageFields = new Set(['content-length', 'content-type'])
/** Fields of requests that each proxy has in its own way: how the body is framed, and the tests' own. */
const ownRequestFields = new Set('content-length transfer-encoding x-case x-wish'.split(' '))
/** Suites of TLS 1.3 are not configured; only the version is told. */
const newest = 'TLSv1.3'

/** What must be alike in an answer. Pages of errors are each proxy's own, where nginx wrote its own. */
export function clientShape(got: Got, ports: ProxyPorts, nginx: Got | undefined): Shape {
  const { status, body, handshake } = got
  const page = nginx !== undefined && isPage(nginx)
  const fields = Object.entries(got.fields).filter(([name]) => {
    if (ownFields.has(name) || (page && pageFields.has(name))) return false
    // RFC 9110 8.6 allows no length with 204.
    return status !== 204 || name !== 'content-length'
  })
  return {
    ':status': String(status),
    ...generic(fields, ports),
    ':body': page ? '' : portless(body, ports),
    ':trailers': JSON.stringify(got.trailers),
    ':tls': handshake.startsWith(newest) ? newest : handshake,
  }
}

/** A page of nginx, or the head of one. What upstreams answer is no HTML. */
function isPage({ status, body, fields }: Got): boolean {
  const headOnly = status >= 300 && body === '' && fields['content-type'] === 'text/html'
  return headOnly || body.includes('<hr><center>nginx')
}

/** What must be alike in what an upstream saw. */
export function upstreamShape(seen: Seen, ports: ProxyPorts): Shape {
  const { endpoint, method, target, version, body, tls } = seen
  // Requests of the proxy's own: each connects in its own way.
  const own = endpoint === 'mirror' || endpoint === 'sorry' || target.startsWith('/auth/')
  const closing = version === '1.0' && seen.fields['connection'] === 'close'
  const fields = Object.entries(seen.fields).filter(
    ([name]) => !ownRequestFields.has(name) && !(name === 'connection' && (own || closing)),
  )
  return {
    // Who of several is chosen is not told by configuration.
    ':endpoint': /^(?:second|third|once|twice)$/.test(endpoint) ? 'echo' : endpoint,
    ':method': method,
    ':target': portless(target, ports),
    ':version': own ? '' : version,
    ...generic(fields, ports),
    ':body': body,
    ':tls': tls,
  }
}

/** The shapes without some of their members. */
export function without(shapes: readonly Shape[], names: readonly string[]): Shape[] {
  return shapes.map((shape) =>
    Object.fromEntries(Object.entries(shape).filter(([name]) => !names.includes(name))),
  )
}

function generic(
  fields: readonly (readonly [string, string])[],
  ports: ProxyPorts,
): Record<string, string> {
  return Object.fromEntries(
    fields
      .map(([name, value]) => {
        const isOurId = name === 'x-request-id' && /^[0-9a-f]{32}$/.test(value)
        if (isOurId) return [name, '@id'] as const
        // A list without order.
        const told =
          name === 'vary'
            ? value
                .split(/[|, ]+/)
                .toSorted()
                .join(', ')
            : value
        return [name, portless(told, ports)] as const
      })
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The ports of the proxies are not the same. */
function portless(text: string, { http, https }: ProxyPorts): string {
  return text.replaceAll(String(http), '@http').replaceAll(String(https), '@https')
}

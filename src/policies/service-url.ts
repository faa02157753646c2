import type { ValueType } from '#src/annotations/types.ts'
import type { RouteContext } from './policy-definition.ts'
import { readTemplate } from './template.ts'
import type { Template } from './template.ts'

/** A service outside that requests of our own go to, as the table knows it. */
export interface ServiceUrl {
  /** Key of its backend in the table. */
  readonly backend: string
  /** Server name for TLS; '': plain HTTP. */
  readonly serverName: string
  readonly authority: string
  /** Path and query; empty where the URL has none. */
  readonly target: Template
}

type Reading = ServiceUrl | { readonly problem: string }

const hostVariable = /^\$(?:host|http_host)$/i
/** Scheme, host and port, and whatever comes behind them. */
const parts = /^(https?):\/\/(\$(?:host|http_host)|\[[^\]]*\]|[^/?#$:@[\]]+)((?::\d+)?)([/?$].*|)$/i

/** The text of a URL that may hold variables: in its host only $host, the host of the rule. */
export const serviceUrl: ValueType<string> = {
  expects: 'a URL such as https://auth.example.com/check, which may hold variables',
  schema: { pattern: '^https?://\\S+$' },
  parse(text) {
    const [scheme, host, port, rest] = split(text)
    if (scheme === '' || !/^[!-~]+$/.test(text) || host.includes('..')) return undefined
    const named = host.startsWith('$') ? 'host.example' : host
    return URL.canParse(`${scheme}://${named}${port}/`) && !rest.includes('#') ? text : undefined
  },
  format: (text) => text,
}

function split(text: string): readonly [scheme: string, host: string, port: string, rest: string] {
  const [, scheme = '', host = '', port = '', rest = ''] = parts.exec(text) ?? []
  return [scheme, host, port, rest]
}

/** Takes a URL apart whose form is checked, and makes a backend of its host. */
export function readServiceUrl(url: string, context: RouteContext<object>): Reading {
  const [scheme, written, port, rest] = split(url)
  const ours = hostVariable.test(written)
  if (ours && (context.host === '' || context.host.startsWith('*'))) {
    return { problem: 'names $host as its host, which the rule leaves open; write a name' }
  }
  const reading = readTemplate(rest.startsWith('?') ? `/${rest}` : rest, false)
  if ('problem' in reading) return reading
  const host = ours ? context.host : written
  const { template: target } = reading
  return { ...serverOf(scheme, host, port, context), authority: host + port, target }
}

/** `port` with its colon, '' for that of the scheme. */
function serverOf(
  scheme: string,
  host: string,
  port: string,
  context: RouteContext<object>,
): Pick<ServiceUrl, 'backend' | 'serverName'> {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  const secure = scheme.toLowerCase() === 'https'
  const preset = secure ? 443 : 80
  return {
    backend: context.external(bare, port === '' ? preset : Number(port.slice(1))),
    serverName: secure ? bare : '',
  }
}

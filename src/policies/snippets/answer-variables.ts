import type { Fields } from '#src/exchange/fields.ts'
import type { PolicyExchange } from '#src/policies/policy.ts'
import { variableValue } from '#src/policies/variables.ts'

/** nginx's variables of an answer, as far as it is known when its head goes out; '' before. */
const variables: Readonly<Record<string, (exchange: PolicyExchange) => string>> = {
  msec: (exchange) => (exchange.wallClock() / 1000).toFixed(3),
  request: (exchange) =>
    `${exchange.request.method} ${variableValue(exchange, 'request_uri')} ${variableValue(exchange, 'server_protocol')}`,
  request_time: (exchange) => ((exchange.now() - exchange.startedAt) / 1000).toFixed(3),
  status: ({ response }) => String(response?.status ?? ''),
  upstream_addr: ({ upstreamAddress }) => upstreamAddress,
  // There is no cache.
  upstream_cache_status: () => '',
  upstream_status: ({ response, upstreamAddress }) =>
    upstreamAddress === '' ? '' : String(response?.status ?? ''),
}

const ofUpstream = 'upstream_http_'
const ofAnswer = 'sent_http_'

/** Whether a name, in lower case and without the `$`, is one of them. */
export function isAnswerVariable(name: string): boolean {
  return Object.hasOwn(variables, name) || /^(?:sent|upstream)_http_[a-z0-9_]+$/.test(name)
}

/** The value of a variable in a snippet. */
export function snippetVariable(exchange: PolicyExchange, name: string): string {
  const read = variables[name]
  if (read !== undefined) return read(exchange)
  const fields = exchange.response?.fields
  if (name.startsWith(ofAnswer)) return fields?.getJoined(fieldOf(name, ofAnswer)) ?? ''
  if (!name.startsWith(ofUpstream)) return variableValue(exchange, name)
  return fields !== undefined && exchange.upstreamAddress !== '' ? sentBy(fields, name) : ''
}

/** As the upstream sent it, whatever was hidden or replaced since. */
function sentBy(fields: Fields, name: string): string {
  return fields.getSentJoined(fieldOf(name, ofUpstream)) ?? ''
}

function fieldOf(name: string, prefix: string): string {
  return name.slice(prefix.length).replaceAll('_', '-')
}

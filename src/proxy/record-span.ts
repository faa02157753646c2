import { renderTemplate } from '#src/policies/template.ts'
import type { OpenSpan } from '#src/policies/trace-context.ts'
import { queryOf } from '#src/policies/variables.ts'
import { httpVersion, loggedStatus } from './access-log-line.ts'
import type { Exchange } from './exchange.ts'
import { upstreamName } from './upstream-name.ts'

/** Longer texts in attributes are cut. */
const textLengthMax = 1024
const methods: ReadonlySet<string> = new Set(
  'CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE'.split(' '),
)
/** Arguments that are credentials: those that OpenTelemetry's conventions name. */
const secretArguments = /(?<=^|&)(AWSAccessKeyId|Signature|sig|X-Goog-Signature)=[^&]*/g

/** Hands the span of a finished exchange to whoever takes spans. */
export function recordSpan(exchange: Exchange, span: OpenSpan): void {
  const { services, startedAt } = exchange
  const status = loggedStatus(exchange)
  const { traceId, spanId, parentId, traceState, startMs } = span
  services.spans?.record({
    traceId,
    spanId,
    parentId,
    traceState,
    name: nameOf(exchange, span),
    startMs,
    durationMs: services.now() - startedAt,
    failed: status >= 500,
    attributes: {
      ...requestAttributes(exchange),
      ...routeAttributes(exchange),
      ...answerAttributes(exchange, status),
    },
  })
}

/** By method and route, as OpenTelemetry's conventions for HTTP have it; never by the path of the request. */
function nameOf(exchange: Exchange, { name }: OpenSpan): string {
  if (name.length > 0) return cut(renderTemplate(name, exchange))
  const { request, live } = exchange
  const method = methods.has(request.method) ? request.method : 'HTTP'
  const route = live?.rule.pathText ?? ''
  return route === '' ? method : cut(`${method} ${route}`)
}

type Attributes = Record<string, string | number>

/** The request as it came in. */
function requestAttributes(exchange: Exchange): Attributes {
  const { request, path, originalTarget } = exchange
  const { method } = request
  const query = queryOf(originalTarget || request.target)
  return {
    'http.request.method': methods.has(method) ? method : '_OTHER',
    ...(methods.has(method) ? {} : { 'http.request.method_original': cut(method) }),
    'url.scheme': exchange.scheme,
    'url.path': cut(path),
    ...present('url.query', query.replaceAll(secretArguments, '$1=REDACTED')),
    'server.address': exchange.host,
    'server.port': exchange.port,
    'client.address': exchange.clientAddress,
    'network.protocol.version': httpVersion(request),
    ...present('user_agent.original', request.fields.getSent('user-agent') ?? ''),
    'http.request.body.size': exchange.body.bytes,
    'headgate.request_id': cut(exchange.requestId),
  }
}

/** How it ended, and by whose doing. */
function answerAttributes(exchange: Exchange, status: number): Attributes {
  const { lastEndpoint, failure } = exchange
  const error = failure === '' && status >= 500 ? String(status) : failure
  return {
    'http.response.status_code': status,
    'http.response.body.size': exchange.responseBytes,
    ...present('headgate.endpoint', lastEndpoint?.name ?? ''),
    'headgate.tries': exchange.tries,
    ...present('error.type', error),
  }
}

/** Rule and Service, by ingress-nginx's names. */
function routeAttributes({ live, target }: Exchange): Attributes {
  if (live === undefined) return {}
  const { pathText, origin } = live.rule
  const attributes = {
    'http.route': cut(pathText),
    'ingress.namespace': origin.namespace,
    'ingress.name': origin.name,
  }
  if (target === undefined) return attributes
  return {
    ...attributes,
    'ingress.service_name': target.use.service,
    'ingress.upstream': upstreamName(target.backend.backend),
  }
}

function present(name: string, value: string): Attributes {
  return value === '' ? {} : { [name]: cut(value) }
}

function cut(text: string): string {
  return text.length > textLengthMax ? text.slice(0, textLengthMax) : text
}

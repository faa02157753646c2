import type { Fields } from '#src/exchange/fields.ts'
import { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { RouteContext } from '#src/policies/policy-definition.ts'
import { REPLY } from '#src/policies/policy.ts'
import type { Phases, PolicyExchange, Reply } from '#src/policies/policy.ts'
import { joinChanges } from '#src/proxy/joined-changes.ts'

/** What a test says about a request and its answer. */
export interface Given extends Partial<Omit<PolicyExchange, 'request' | 'response'>> {
  readonly method?: string
  readonly target?: string
  readonly fields?: Readonly<Record<string, string>>
  /** Fields of the answer; undefined: there is none yet. */
  readonly answer?: readonly (readonly [name: string, value: string])[]
}

/** An exchange without a connection: what policies may look at, and what they did. */
export interface FakeExchange {
  readonly exchange: PolicyExchange
  readonly request: RequestHead
  readonly response: ResponseHead | undefined
  readonly replies: Reply[]
}

export function fakeExchange(given: Given = {}): FakeExchange {
  const { method = 'GET', target = '/', fields = {}, answer, ...more } = given
  const request = new RequestHead()
  request.method = method
  request.target = target
  request.authority = 'a.example'
  for (const [name, value] of Object.entries(fields)) request.fields.append(name, value)
  request.fields.markSent()
  let response: ResponseHead | undefined
  if (answer !== undefined) {
    response = new ResponseHead()
    for (const [name, value] of answer) response.fields.append(name, value)
  }
  const replies: Reply[] = []
  const exchange = {
    request,
    response,
    peer: { localAddress: '192.0.2.1', localPort: 80, port: 40_000 },
    host: 'a.example',
    publicHost: 'a.example',
    vouchedFields: 0,
    path: target.split('?')[0] ?? '',
    scheme: 'http',
    clientAddress: '198.51.100.7',
    requestId: 'id',
    originalTarget: '',
    state: [],
    upstreamAddress: '10.0.0.1:80',
    setTarget(text: string) {
      exchange.originalTarget ||= request.target
      request.target = text
    },
    setAuthority(text: string) {
      request.originalAuthority ||= request.authority
      request.authority = text
    },
    reply(reply: Reply) {
      replies.push(reply)
      return REPLY
    },
    ...more,
  } as unknown as PolicyExchange & { originalTarget: string }
  return { exchange, request, response, replies }
}

/** The fields of an answer as [name in lower case, value], in order. */
export function fieldsOf(fields: Fields | undefined): (readonly [string, string])[] {
  const list: (readonly [string, string])[] = []
  fields?.forEach((name, value) => {
    list.push([name.toLowerCase(), value])
  })
  return list
}

/** What a policy is told about its route, and what it said. */
export function contextOf<Options>(
  options: Options,
  more: Partial<RouteContext<Options>> = {},
): RouteContext<Options> {
  return {
    options,
    ingress: 'shop/one',
    host: 'a.example',
    tls: false,
    path: '/',
    clients: undefined,
    match: { type: 'prefix', path: '' },
    serverSnippet: undefined,
    snippet: undefined,
    authSnippet: undefined,
    globalAuthSnippet: undefined,
    httpsPort: 443,
    data: () => undefined,
    external: (host, port) => `${host} ${port}`,
    report: () => {},
    deny: () => {},
    ...more,
  }
}

/** What a policy alone does to an answer. */
export function passResponse(phases: Phases, exchange: PolicyExchange): void {
  for (const phase of joinChanges([phases])) phase.responseHead?.(exchange)
}

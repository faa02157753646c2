import { tlsVariables } from '#src/policies/tls-variables.ts'
import type { Exchange } from './exchange.ts'
import type { LineFormat } from './log-format.ts'

/** What a request has by its head as it was sent, and by its connection. Rewrites change the query and the path. */
const sentVariables: ReadonlySet<string> = new Set([
  'best_http_host',
  'content_length',
  'content_type',
  'escaped_request_uri',
  'host',
  'http_host',
  'https',
  'proxy_protocol_addr',
  'remote_addr',
  'remote_user',
  'request',
  'request_method',
  'request_uri',
  'scheme',
  'server_addr',
  'server_port',
  'server_protocol',
  'the_real_ip',
])

/** What it has by its answer: by nothing that `KeptLine.fits` does not look at. */
const answerVariables: ReadonlySet<string> = new Set([
  'body_bytes_sent',
  'ingress_name',
  'namespace',
  'proxy_alternative_upstream_name',
  'proxy_upstream_name',
  'request_length',
  'service_name',
  'service_port',
  'status',
  'time_iso8601',
  'time_local',
  'upstream_addr',
  'upstream_response_length',
  'upstream_status',
])

/** Whether a variable, if it is not another in each line, is known from what `KeptLine` keeps. */
export function isKept(variable: string): boolean {
  return (
    sentVariables.has(variable) ||
    answerVariables.has(variable) ||
    Object.hasOwn(tlsVariables, variable) ||
    /^(?:http|cookie)_/.test(variable)
  )
}

type Kept = Pick<
  Exchange,
  'failure' | 'lastEndpoint' | 'live' | 'responseBytes' | 'status' | 'target'
>

/**
 * What a log line is made of besides what is another in each line, kept with a request head that others
 * repeat: they and their answers differ in little more. Of one connection, as the head is.
 */
export class KeptLine implements Kept {
  failure: Kept['failure'] = ''
  lastEndpoint: Kept['lastEndpoint']
  live: Kept['live']
  responseBytes = 0
  status = 0
  target: Kept['target']
  /** Of the second line on that is so: many are the only one. */
  texts: readonly string[] | undefined
  #format: LineFormat<Exchange> | undefined
  #requestBytes = 0
  #answered = false
  #second = 0

  /** Whether what is kept is that of this exchange, in which no try failed. `second`: since 1970, when it ended. */
  fits(format: LineFormat<Exchange>, exchange: Exchange, second: number): boolean {
    return (
      this.responseBytes === exchange.responseBytes &&
      this.status === exchange.status &&
      this.#second === second &&
      this.lastEndpoint === exchange.lastEndpoint &&
      this.live === exchange.live &&
      this.target === exchange.target &&
      this.failure === exchange.failure &&
      this.#requestBytes === exchange.body.bytes &&
      this.#answered === exchange.upstreamMs >= 0 &&
      this.#format === format
    )
  }

  /** From now on it is that of this exchange. */
  become(format: LineFormat<Exchange>, exchange: Exchange, second: number): void {
    this.responseBytes = exchange.responseBytes
    this.status = exchange.status
    this.#second = second
    this.lastEndpoint = exchange.lastEndpoint
    this.live = exchange.live
    this.target = exchange.target
    this.failure = exchange.failure
    this.#requestBytes = exchange.body.bytes
    this.#answered = exchange.upstreamMs >= 0
    this.#format = format
    this.texts = undefined
  }
}

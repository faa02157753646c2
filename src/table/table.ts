import type { BalanceOptions } from '#algorithms/balance/balancer.ts'
import type { LogPart } from '#src/policies/log-variables.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import type { UpstreamTls } from '#src/transport/transport.ts'
import type { Key } from './keys.ts'

/**
 * The compiler's output for the data plane. Plain data: it survives structuredClone, prints and
 * diffs. Every part that changes on its own is addressed by its own key, so that a change travels as
 * a delta of the parts that differ.
 */
export interface RouteTable {
  readonly listeners: ReadonlyMap<Key, Listener>
  /** By host pattern within a listener group; see `hostKey`. */
  readonly hosts: ReadonlyMap<Key, Host>
  readonly backends: ReadonlyMap<Key, Backend>
  readonly certificates: ReadonlyMap<Key, Certificate>
  readonly authorities: ReadonlyMap<Key, Authorities>
  readonly options: GlobalOptions
}

export type ListenerProtocol = 'http' | 'https' | 'tls-passthrough' | 'tcp' | 'udp'

/** A port that is served. Opened and closed as it comes and goes; the others do not notice. */
export interface Listener {
  readonly key: Key
  readonly protocol: ListenerProtocol
  /** Empty: the addresses given on the command line. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Hosts of this group are served here. */
  readonly hostGroup: string
  readonly proxyProtocol: boolean
  /** Certificate when SNI is absent or unknown. */
  readonly defaultCertificate: Key | undefined
  /** For `tcp`: where connections are passed on to. */
  readonly stream?: StreamRoute
}

/** Where a connection is passed on to, byte by byte. Durations in milliseconds. */
export interface StreamRoute {
  /** The object that asks for it. */
  readonly origin: Origin
  readonly backend: Key
  /** Service as metrics name it. */
  readonly service: string
  readonly balance: Balance
  readonly connectTimeoutMs: number
  /** A connection on which nothing moves for so long is cut. */
  readonly idleTimeoutMs: number
  /** Endpoints that are tried; 0: no limit but their number. */
  readonly triesMax: number
  /** No further try begins after this; 0: no limit. */
  readonly retryTimeoutMs: number
  /** The endpoint is told the client's address by a PROXY header. */
  readonly sendProxyHeader: boolean
}

/** All rules of one host pattern: `a.example`, `*.example` (one label), or '' for every other host. */
export interface Host {
  readonly key: Key
  readonly hostGroup: string
  readonly pattern: string
  /** Most specific first: the first whose path and predicates match is the one. */
  readonly rules: readonly Rule[]
  /** Certificate for this SNI; undefined: no TLS section names the host. */
  readonly certificate: Key | undefined
  /** A TLS section names the host, though its certificate may be missing. */
  readonly tls: boolean
  /** Clients of this host are asked for a certificate; undefined: they are not. */
  readonly clientCertificates: ClientCertificates | undefined
  /** TLS of clients that name this host ends at an endpoint, not here. */
  readonly passthrough?: StreamRoute
  /** How TLS is spoken with its clients, where that differs from the options. */
  readonly handshake?: HandshakeTerms
}

/** What TLS on a host may agree on. */
export interface HandshakeTerms {
  /** OpenSSL names of TLS 1.2; empty: those of the options. */
  readonly ciphers: readonly string[]
  /** Our order of suites counts, not the client's. */
  readonly preferServerOrder: boolean
}

/** How the clients of a host are asked for a certificate. A policy of its rules judges what they show. */
export interface ClientCertificates {
  /** Same text, same demands: a connection that was asked under another one must not serve the host (421). */
  readonly policy: Key
  /** What certificates are checked against. */
  readonly authorities: Key
}

export interface PathMatch {
  readonly type: 'exact' | 'prefix' | 'regex'
  /** As Unicode text, escapes decoded. For `prefix` without trailing slash ('' matches every path); for `regex` the pattern, anchored at the start. */
  readonly value: string
}

/** A further condition on a request; all must hold. Ingress has none. */
export interface Predicate {
  readonly on: 'method' | 'header' | 'query'
  readonly name: string
  readonly match: 'exact' | 'regex'
  readonly value: string
}

/** Where a part of the table comes from, for metrics, logs and explain. */
export interface Origin {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

export interface Rule {
  readonly key: Key
  readonly origin: Origin
  readonly path: PathMatch
  /** The path as the user wrote it. */
  readonly pathText: string
  readonly predicates: readonly Predicate[]
  readonly settings: RouteSettings
  /** In order of execution. */
  readonly policies: readonly PolicyUse[]
  /** A choice by weight among these, each with policies of its own. Empty: 503. */
  readonly backends: readonly WeightedBackend[]
  /** The second backend is a canary, and this decides before the weights do. */
  readonly canary?: Canary
  /** Every backend but the first is a canary, and this decides in place of the weights. */
  readonly canaryGroup?: CanaryGroup
  /** Asked while no endpoint of the backends can be; absent: such requests are answered 503. */
  readonly fallback?: Fallback
  /** Pages in place of answers with some statuses; absent: answers are passed on as they are. */
  readonly errorPages?: ErrorPages
}

/** Which answers are replaced by a page, and who is asked for it. */
export interface ErrorPages {
  /** Sorted. */
  readonly statuses: readonly number[]
  /** Answers of upstreams are replaced as well; false: only those of the proxy's own. */
  readonly intercept: boolean
  /** The first with an endpoint is asked; without one the page is a 404. */
  readonly uses: readonly WeightedBackend[]
  /** What it is told of the route. */
  readonly service: string
  readonly servicePort: string
}

/** A backend of last resort, and what it is told of the Service that it stands in for. */
export interface Fallback {
  readonly use: WeightedBackend
  readonly service: string
  readonly servicePort: string
}

/** When a request goes to the canary of a rule whatever the weights say. Names are '' for "not asked". */
export interface Canary {
  /** Name of the header field, in lower case. */
  readonly header: string
  /** Its value that chooses the canary; '': `pattern`, or else always and never. */
  readonly value: string
  readonly pattern: string
  /** The pattern cannot be used: requests with the field go to the primary. */
  readonly broken: boolean
  readonly cookie: string
}

/** Several canaries of one rule; clients keep to the side that they were given. */
export interface CanaryGroup {
  readonly name: string
  /** Parallel to the backends behind the first one. */
  readonly canaries: readonly Canary[]
}

export interface WeightedBackend {
  readonly backend: Key
  /** Service as metrics name it. */
  readonly service: string
  readonly weight: number
  readonly balance: Balance
  /** `auto`: over TLS what the endpoint chooses (ALPN), HTTP/1.1 otherwise. */
  readonly protocol: 'http1' | 'http1.0' | 'http2' | 'auto'
  /** What the Connection field of HTTP/1 says; with `close` connections are closed after their answer. */
  readonly connection?: 'close' | 'keep-alive'
  readonly tls: UpstreamTls | undefined
  /** With `auto`: clients without TLS are served without TLS towards the endpoints. */
  readonly followsScheme?: boolean
  readonly policies: readonly PolicyUse[]
}

/** How endpoints are chosen. `algorithm` is a key of the registry in algorithms/balance. */
export interface Balance {
  readonly algorithm: string
  readonly options: BalanceOptions
  /** Where the hash key comes from, for keyed algorithms: text and variables in turn. */
  readonly hashKey: readonly HashKeyPart[]
  /** Where endpoints are asked for their load, for algorithms that send probes; absent: they are not. */
  readonly probePath?: string
}

export type HashKeyPart = { readonly text: string } | { readonly variable: string }

/** Limits and times of one route. Durations in milliseconds, sizes in bytes; 0 switches a limit off. */
export interface RouteSettings {
  readonly bodyBytesMax: number
  /** Of an HTTP/1.1 upstream; the option of this name bounds all heads besides. */
  readonly responseHeadBytesMax: number
  readonly connectTimeoutMs: number
  readonly sendTimeoutMs: number
  readonly readTimeoutMs: number
  readonly retry: RetrySettings
  /** Bodies of requests that may be repeated are kept for another try even when they are long. */
  readonly requestBuffering: boolean
  readonly accessLog: boolean
  readonly strictPath: boolean
}

export interface RetrySettings {
  /** Tries in all, the first included; 0: no limit but the number of endpoints. */
  readonly triesMax: number
  readonly timeoutMs: number
  readonly onError: boolean
  readonly onTimeout: boolean
  readonly onInvalidHeader: boolean
  readonly onStatuses: readonly number[]
  readonly nonIdempotent: boolean
}

/** Endpoints of one Service port. An EndpointSlice change touches this and nothing else. */
export interface Backend {
  readonly key: Key
  readonly service: Origin
  /** Port of the Service, as it is named in tables and metrics; 0: none known. */
  readonly servicePort: number
  readonly endpoints: readonly Endpoint[]
  /** sessionAffinity: ClientIP, in seconds; 0: none. */
  readonly clientIpAffinitySeconds: number
  /** Absent: endpoints are not checked. */
  readonly healthCheck?: HealthCheck
}

/** How endpoints are asked whether they work. */
export interface HealthCheck {
  readonly kind: 'http' | 'grpc'
  /** Of kind `http`: path and query. */
  readonly path: string
  /** Of kind `grpc`: the service asked about, '' for the whole server. */
  readonly service: string
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Failures in a row that put an endpoint out of use, and successes that bring it back. */
  readonly failures: number
  readonly successes: number
}

export interface Endpoint {
  readonly address: string
  readonly port: number
  /** UID of the Pod behind it, '' when unknown: a reused address inherits nothing. */
  readonly uid: string
  /** `ready`: new requests. `draining`: sessions it has, and a fallback when none is ready. */
  readonly state: 'ready' | 'draining'
  readonly weight: number
  readonly zone: string
  readonly node: string
}

/** A certificate and its key, validated and in order. */
export interface Certificate {
  readonly key: Key
  readonly origin: Origin
  /** Leaf first, PEM. */
  readonly certificatePem: string
  readonly keyPem: string
  /** Names that the leaf covers, lower case. */
  readonly names: readonly string[]
  /** Changes with the contents; prints instead of them. */
  readonly fingerprint: string
  readonly notAfterMs: number
}

/** CA certificates that clients of some hosts must come from, validated. */
export interface Authorities {
  readonly key: Key
  readonly origin: Origin
  /** PEM. */
  readonly caPem: string
  /** Revocation lists, PEM; '': nobody asks whether a certificate was revoked. */
  readonly crlPem: string
  /** Changes with the contents; prints instead of them. */
  readonly fingerprint: string
}

/** Options for everything, from the ConfigMap. Names and defaults are ingress-nginx's. */
export interface GlobalOptions {
  readonly accessLog: boolean
  readonly keepAliveTimeoutMs: number
  readonly keepAliveRequests: number
  readonly upstreamKeepAliveConnections: number
  readonly upstreamKeepAliveRequests: number
  readonly upstreamKeepAliveTimeoutMs: number
  readonly upstreamKeepAliveTimeMs: number
  /** Streams at once on one HTTP/2 connection of a client. */
  readonly http2ConcurrentStreams: number
  /** A silent HTTP/2 connection to an upstream with open streams is sent a PING after this; 0: never. */
  readonly upstreamPingIntervalMs: number
  readonly requestHeadTimeoutMs: number
  readonly requestBodyTimeoutMs: number
  readonly requestLineBytesMax: number
  readonly requestHeadBytesMax: number
  readonly requestFieldsMax: number
  readonly responseHeadBytesMax: number
  readonly useForwardedHeaders: boolean
  /** Believes trusted peers about the client's address, though about nothing else. */
  readonly realIp: boolean
  readonly computeFullForwardedFor: boolean
  readonly forwardedForHeader: string
  /** CIDRs of peers whose forwarding headers and PROXY headers count. */
  readonly trustedPeers: readonly string[]
  readonly proxyHeaderTimeoutMs: number
  readonly underscoresInHeaders: boolean
  readonly ignoreInvalidHeaders: boolean
  readonly generateRequestId: boolean
  /** The Server field of upstreams stays. */
  readonly backendServerHeader: boolean
  /** HTTP/2 is offered to clients over TLS. */
  readonly http2: boolean
  /** Parts of a line of the access log; empty: lines of JSON. */
  readonly logFormat: readonly LogPart[]
  readonly logEscape: 'default' | 'json' | 'none'
  /** Of the lines of TCP connections; empty: JSON lines. */
  readonly streamLogFormat: readonly LogPart[]
  /** Targets that are not logged. */
  readonly skipAccessLogUrls: readonly string[]
  readonly hsts: string
  /** Suites of TLS 1.2 for clients, by their OpenSSL names; empty: all that are forward secret and authenticated. */
  readonly tlsCiphers: readonly string[]
  /** Versions of TLS for clients, the lower one first. */
  readonly tlsVersions: readonly ('TLSv1.2' | 'TLSv1.3')[]
  /** A client that names no host of the table over TLS gets no handshake. */
  readonly tlsRejectUnknown: boolean
  readonly drainTimeoutMs: number
  /** What meets requests that no rule takes, before they are answered 404. */
  readonly policies: readonly PolicyUse[]
}

/** What differs between two tables. `undefined` in a change map: the part is gone. */
export interface TableDelta {
  /** Version this delta leads to. */
  readonly version: number
  /** The whole table: parts that are not named are gone. */
  readonly full: boolean
  readonly listeners: ReadonlyMap<Key, Listener | undefined>
  readonly hosts: ReadonlyMap<Key, Host | undefined>
  readonly backends: ReadonlyMap<Key, Backend | undefined>
  readonly certificates: ReadonlyMap<Key, Certificate | undefined>
  readonly authorities: ReadonlyMap<Key, Authorities | undefined>
  readonly options: GlobalOptions | undefined
}

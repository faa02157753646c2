/** A request that both proxies get. */
export interface ComparedRequest {
  readonly method?: string
  readonly target?: string
  /** Host of the request; the case's own without it. `@` stands for that. */
  readonly host?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly body?: string
  /** Over TLS, as this client; over plain HTTP without it. */
  readonly tls?: TlsClient
  /** What the upstream does. */
  readonly upstream?: UpstreamWish
  /** So many requests like this, one behind the other, or all at once. */
  readonly times?: number
  readonly atOnce?: boolean
  /** The times until the answer are compared, too; they may differ by this many milliseconds. */
  readonly withinMs?: number
}

export interface TlsClient {
  /** Whose certificate it shows; none without it. */
  readonly certificate?: 'alice' | 'deep' | 'stranger' | 'revoked'
  readonly ciphers?: string
  readonly version?: 'TLSv1.2' | 'TLSv1.3'
  readonly http2?: true
}

/** What an upstream does with a request. */
export interface UpstreamWish {
  readonly status?: number
  readonly fields?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** Size of the body, in place of `body`. */
  readonly bodyBytes?: number
  /** Head and body come so much later. */
  readonly waitMs?: number
  /** So many tries get this answer; those that follow get a plain 200. */
  readonly tries?: number
  /** Behind the body; for upstreams of HTTP/2. */
  readonly trailers?: Readonly<Record<string, string>>
  /** Closes the connection without an answer. */
  readonly hangUp?: true
  /** Never reads the body of the request. */
  readonly deaf?: true
}

/**
 * One feature as an annotation, and as ingress-nginx would write it into nginx's configuration. In the
 * latter `@proxy` stands for the lines that pass a request on, `@host` for the host, `@id` for a name of
 * the case's own, and the words of `Places` for what they say.
 */
export interface Comparison {
  readonly key: string
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
  /** Path of the rule; `/` without it. */
  readonly path?: string
  readonly pathType?: 'Prefix' | 'Exact' | 'ImplementationSpecific'
  /** The Service behind it; `echo` without it. */
  readonly service?: string
  /** The host has a TLS section. */
  readonly tls?: true
  /** Outside of the server. */
  readonly http?: string
  /** In the server, beside its location. */
  readonly server?: string
  /** In the location, in front of what passes requests on; a directive here replaces the usual one. */
  readonly location?: string
  /** In place of `proxy_pass`. */
  readonly pass?: string
  /** All locations, in place of the one. */
  readonly locations?: string
  /** Modules that plain nginx lacks, as Debian's packages name their files. */
  readonly modules?: readonly NginxModule[]
  readonly requests: readonly ComparedRequest[]
  /** How many requests each endpoint got is compared, and not which endpoint. */
  readonly spread?: true
  /** Fields in which Headgate is not as nginx, on purpose. They must be apart in a request at least. */
  readonly apart?: { readonly fields: readonly string[]; readonly why: string }
}

export type NginxModule = 'headers_more_filter' | 'set_misc' | 'brotli_filter'

/** Cases that one nginx and one Headgate serve together. */
export interface Group {
  readonly name: string
  /** Keys of ingress-nginx's ConfigMap. */
  readonly options?: Readonly<Record<string, string>>
  /** What these are in nginx, for everything, and for each location. */
  readonly http?: string
  readonly location?: string
  /** There is a default backend for everything. */
  readonly defaultBackend?: true
  /** The lines of the access log are compared, too; each begins with `X-Case`. */
  readonly logs?: true
  readonly comparisons: readonly Comparison[]
}

/** A request that both proxies get. */
export interface ComparedRequest {
  readonly method?: string
  readonly target?: string
  /** Host of the request; the case's own without it. `@` stands for that. */
  readonly host?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly body?: string
  /** What the upstream does: its status, its fields, how long it waits. */
  readonly upstream?: UpstreamWish
  /** So many requests like this, one behind the other, or all at once. */
  readonly times?: number
  readonly atOnce?: boolean
}

export interface UpstreamWish {
  readonly status?: number
  readonly fields?: Readonly<Record<string, string>>
  readonly waitMs?: number
}

/**
 * One feature as an annotation, and as ingress-nginx would write it into nginx's configuration. In the
 * latter `@proxy` stands for the lines that pass a request on, `@host` for the host, `@upstream` for
 * the upstream's address, `@users` for a file of users (u, with password p), `@id` for a name.
 */
export interface Comparison {
  readonly key: string
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
  /** Path of the rule; `/` without it. */
  readonly path?: string
  readonly pathType?: 'Prefix' | 'Exact' | 'ImplementationSpecific'
  /** Outside of the server. */
  readonly http?: string
  /** In the server, beside its location. */
  readonly server?: string
  /** In the location, in front of what passes requests on. */
  readonly location?: string
  /** All locations, in place of the one. */
  readonly locations?: string
  readonly requests: readonly ComparedRequest[]
  /** Fields of the answer that differ on purpose, with the reason. */
  readonly apart?: Readonly<Record<string, string>>
}

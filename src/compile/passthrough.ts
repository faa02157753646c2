import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Rule, StreamRoute } from '#src/table/table.ts'
import { originOf, reportOn } from './findings.ts'
import type { ParsedIngress } from './ingress.ts'
import type { Options } from './options.ts'
import { streamBalance, streamTimes } from './streams.ts'

/** What passing TLS through is decided from. */
export interface PassthroughContext {
  /** Ingresses of the host, oldest first. */
  readonly owners: readonly ParsedIngress[]
  readonly rules: readonly Rule[]
  readonly options: Options
  /** --enable-ssl-passthrough was given. */
  readonly enabled: boolean
  readonly diagnostics: Diagnostics
}

/**
 * Where TLS of the clients of a host goes, if an Ingress of it says `ssl-passthrough`: to the Service of
 * its path /, as in ingress-nginx. Paths mean nothing below HTTP, and neither do other annotations.
 */
export function passthroughOf(
  host: string,
  { owners, rules, options, enabled, diagnostics }: PassthroughContext,
): StreamRoute | undefined {
  const owner = owners.find(({ hostTls }) => hostTls['ssl-passthrough'] === true)
  if (owner === undefined) return undefined
  const report = reportOn(owner.ingress, diagnostics)
  const field = owner.texts.get('ssl-passthrough')?.key ?? 'ssl-passthrough'
  if (!enabled) {
    report('annotation-refused', field, 'needs the flag --enable-ssl-passthrough; TLS ends here')
    return undefined
  }
  if (host === '') {
    report('annotation-refused', field, 'needs a host: without one there is no name to go by')
    return undefined
  }
  const root =
    rules.find(({ pathText }) => pathText === '/') ?? rules.find(({ pathText }) => pathText === '')
  const use = root?.backends[0]
  if (use === undefined) {
    const message = `${host} has no path / with a Service that can be used; TLS ends here`
    report('annotation-refused', field, message)
    return undefined
  }
  const others = rules.filter((rule) => rule !== root).map(({ pathText }) => pathText || 'the rest')
  if (others.length > 0) {
    const shown = others.slice(0, 5).join(', ')
    const message = `TLS of ${host} goes to the Service of path /; ${shown} can be had over plain HTTP alone`
    report('annotation-differs', field, message)
  }
  return {
    ...streamTimes(options),
    origin: originOf(owner.ingress),
    backend: use.backend,
    service: use.service,
    balance: streamBalance(use.balance),
    sendProxyHeader: false,
  }
}

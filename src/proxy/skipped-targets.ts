import type { GlobalOptions } from '#src/table/table.ts'
import type { Exchange } from './exchange.ts'

const sets = new WeakMap<GlobalOptions, ReadonlySet<string>>()

/** Whether requests for this target, as the client sent it, are left out of the access log. */
export function isSkipped(
  { request, originalTarget }: Pick<Exchange, 'request' | 'originalTarget'>,
  options: GlobalOptions,
): boolean {
  let set = sets.get(options)
  if (set === undefined) {
    set = new Set(options.skipAccessLogUrls)
    sets.set(options, set)
  }
  return set.has(originalTarget || request.target)
}

import { mapTester } from '#src/policies/map-values.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import type { Exchange } from './exchange.ts'

const testers = new WeakMap<GlobalOptions, (target: string) => boolean>()

/** Whether requests for this target, as the client sent it, are left out of the access log. */
export function isSkipped(
  { request, originalTarget }: Pick<Exchange, 'request' | 'originalTarget'>,
  options: GlobalOptions,
): boolean {
  let skips = testers.get(options)
  if (skips === undefined) {
    skips = mapTester(options.skipAccessLogUrls)
    testers.set(options, skips)
  }
  return skips(originalTarget || request.target)
}

import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { isExpired } from '#src/kubernetes/api-error.ts'
import { readPage } from './raw-object.ts'
import type { RawObject } from './raw-object.ts'
import { metadataTypes, pathOf, selectorsOf } from './resources.ts'
import type { Target } from './resources.ts'

const pageSize = 500
const timeoutMs = 60_000

/**
 * Lists everything of a target, page by page, as of one version. `take` is called with each object
 * as it comes; when a page is too old for its list to go on, `restart` is called and everything
 * comes in one piece.
 *
 * @returns the version of the list: a watch goes on from there.
 */
export async function listAll(
  client: Pick<ApiClient, 'request'>,
  target: Target,
  {
    signal,
    take,
    restart,
  }: {
    readonly signal: AbortSignal
    readonly take: (object: RawObject) => void
    readonly restart: () => void
  },
): Promise<string> {
  let limit: Record<string, string> = { limit: String(pageSize) }
  let next = ''
  for (;;) {
    try {
      const page = readPage(
        await client.request({
          method: 'GET',
          path: pathOf(target.kind, target.namespace),
          query: { ...selectorsOf(target), ...limit, ...(next === '' ? {} : { continue: next }) },
          ...(target.metadataOnly ? { accept: metadataTypes.list } : {}),
          timeoutMs,
          signal,
        }),
      )
      for (const item of page.items) take(item)
      if (page.next === '') return page.version
      next = page.next
    } catch (error) {
      if (!isExpired(error) || next === '') throw error
      limit = {}
      next = ''
      restart()
    }
  }
}

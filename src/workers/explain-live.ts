import { json, plain } from '#src/observe/admin-server.ts'
import type { AdminAnswer } from '#src/observe/admin-server.ts'
import { sumOfSlot } from '#src/shared/endpoint-memory.ts'
import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { explain, requestOf } from './explain.ts'
import type { EndpointState } from './explain.ts'
import type { Supervisor } from './supervisor.ts'

const headersMax = 100

/** /api/explain?method=&url=&header=name:value: what a request would meet now. */
export function explainAnswer(
  { feed, memory }: Supervisor,
  query: URLSearchParams,
  now: number,
): AdminAnswer {
  const headers: [string, string][] = []
  for (const line of query.getAll('header').slice(0, headersMax)) {
    const colon = line.indexOf(':')
    if (colon < 1) return plain(400, `header must be name:value, got ${JSON.stringify(line)}`)
    headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()])
  }
  const request = requestOf(query.get('url') ?? '', query.get('method') ?? 'GET', headers)
  if (request === undefined) {
    return plain(
      400,
      'url must be the full URL of a request, e.g. url=http://shop.example.com/cart',
    )
  }
  const explanation = explain(feed.table, request, ({ key }, index) =>
    endpointState(memory.endpoints, feed.slotsOf(key)[index] ?? 0, now),
  )
  return json(explanation)
}

function endpointState(
  memory: EndpointMemory,
  slot: number,
  now: number,
): EndpointState | undefined {
  if (slot === 0) return undefined
  const unhealthy = memory.unhealthy[slot] === 1
  return {
    unhealthy,
    ejectedForMs: unhealthy ? 0 : Math.max(0, (memory.ejectedUntil[slot] as number) - now),
    requestsInFlight: sumOfSlot(memory, memory.inFlight, slot),
  }
}
